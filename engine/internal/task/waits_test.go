package task

import (
	"slices"
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
	w := waits{clock: clock}
	began := clock.at
	w.begin(waitReader, "a consumer of a")
	clock.advance(10 * time.Second)
	w.begin(waitReader, "a consumer of b")
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
	w.end(waitReader)
	if list := w.List(clock.at, 0); len(list) != 0 {
		t.Errorf("after its end the waits are %+v", list)
	}
}

func TestWaitsCostNothingWhenNothingChanges(t *testing.T) {
	var w waits
	w.begin(waitRoom, "a")
	allocated := testing.AllocsPerRun(100, func() {
		w.begin(waitRoom, "a")
		w.end(waitCommit)
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestWaitThatFollowsIsNotOverdueBesideItsCause(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	in := &Instance{Run: &Run{Clock: clock}, Waiting: waitingFor{waits: waits{clock: clock}, reading: []waits{{clock: clock}}}}
	in.Waiting.reading[0].begin(waitReadAhead, "8 MiB")
	in.Waiting.waits.begin(waitFunction, "message a:1")
	clock.advance(time.Hour)
	for _, wait := range in.WaitsNow(clock.at) {
		if wait.Overdue {
			t.Errorf("%+v is overdue", wait)
		}
	}
	in.Waiting.waits.end(waitFunction)
	if list := in.WaitsNow(clock.at); len(list) != 1 || !list[0].Overdue {
		t.Errorf("without a cause: %+v", list)
	}
}

func TestTheKindsOfWaitsAreListed(t *testing.T) {
	t.Parallel()
	var overdue []string
	for _, rule := range waitRules {
		if rule.patience > 0 {
			overdue = append(overdue, rule.name)
		}
	}
	if listed := observe.WaitKinds(); !slices.Equal(listed, overdue) {
		t.Errorf("listed are %q, and these may be overdue: %q", listed, overdue)
	}
}
