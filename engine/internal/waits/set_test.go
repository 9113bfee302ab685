package waits

import (
	"testing"
	"time"

	"penstock/engine/internal/ports"
	"penstock/engine/observe"
)

// handClock is a clock that a test moves by hand.
type handClock struct {
	ports.RealTime
	at time.Time
}

func (c *handClock) Now() time.Time { return c.at }

func (c *handClock) advance(d time.Duration) { c.at = c.at.Add(d) }

func TestWaitKeepsItsStart(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	w := Set{Clock: clock}
	began := clock.at
	w.Begin(Reader, "a consumer of a")
	clock.advance(10 * time.Second)
	w.Begin(Reader, "a consumer of b")
	if list := w.List(clock.at, 0); len(list) != 1 || !list[0].Since.Equal(began) || list[0].Detail != "a consumer of b" || list[0].Overdue {
		t.Errorf("the waits are %+v", list)
	}
	clock.advance(time.Minute)
	list := w.List(clock.at, 0)
	if len(list) != 1 || !list[0].Overdue || list[0].Readiness != observe.NotReady || list[0].Seconds != 70 {
		t.Errorf("after its patience the waits are %+v", list)
	}
	if list := w.List(clock.at, -1); list[0].Overdue {
		t.Errorf("with no patience asked for the waits are %+v", list)
	}
	w.End(Reader)
	if list := w.List(clock.at, 0); len(list) != 0 {
		t.Errorf("after its end the waits are %+v", list)
	}
}

func TestWaitsCostNothingWhenNothingChanges(t *testing.T) {
	var w Set
	w.Begin(Room, "a")
	allocated := testing.AllocsPerRun(100, func() {
		w.Begin(Room, "a")
		w.End(Commit)
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}
