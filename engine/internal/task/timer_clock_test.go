package task

import (
	"testing"
	"time"

	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/wall"
)

// jumpyClock has a wall and a monotonic reading that go apart.
type jumpyClock struct {
	ports.RealTime
	start         time.Time
	elapsed, jump time.Duration
}

func (c *jumpyClock) Now() time.Time { return wall.Jumped(c.start.Add(c.elapsed), c.jump) }

func timerSession(timers ...plan.Timer) (*Task, *jumpyClock) {
	clock := &jumpyClock{start: time.Now()}
	return &Task{
		Instance: &Instance{Definition: &plan.Stage{Timers: timers}, Run: &Run{Clock: clock, Space: &diskspace.Watch{}}},
		timers:   timerSet{due: make([]int64, len(timers)), alarms: make([]alarms, len(timers))},
		Inbox:    inbox{Inputs: []*Input{{foremost: foremost{hasHead: true}}}}, // or it would be at its end
	}, clock
}

func TestATimerWaitsNoLongerThanWasLeft(t *testing.T) {
	t.Parallel()
	in, clock := timerSession(plan.Timer{Name: "once"}, plan.Timer{Every: time.Minute})
	check := func(when string, once, tick time.Duration) {
		t.Helper()
		if a, b := in.left(0, clock.Now()), in.left(1, clock.Now()); a != once || b != tick {
			t.Errorf("%s: left are %v and %v, want %v and %v", when, a, b, once, tick)
		}
	}
	first := clock.Now().Add(time.Hour).UnixNano()
	in.timers.due[0], in.timers.due[1] = first, clock.Now().Add(time.Minute).UnixNano()
	check("at first", time.Hour, time.Minute)
	clock.elapsed, clock.jump = 30*time.Second, -48*time.Hour
	check("put back", time.Hour-30*time.Second, 30*time.Second)
	in.timers.due[0] = clock.Now().Add(time.Second).UnixNano()
	check("set then", time.Second, 30*time.Second)
	in.timers.due[0] = first
	check("its call undone", time.Hour-30*time.Second, 30*time.Second)
	clock.elapsed += 30 * time.Second
	if due := in.dueTimer(); due != 1 {
		t.Errorf("due is %d", due)
	}
	in.timers.due[1] = in.Definition.Timers[1].NextDue(in.timers.due[1], clock.Now())
	check("ticked", time.Hour-time.Minute, time.Minute)
	clock.jump = 48 * time.Hour
	check("put forward", -47*time.Hour-time.Minute, -95*time.Hour-59*time.Minute)
	if idle := in.Idle(); idle > clockLook {
		t.Errorf("the loop sleeps for %v and may miss a clock that is put forward", idle)
	}
}

func TestNextTickKeepsToTheBeat(t *testing.T) {
	t.Parallel()
	const every = time.Minute
	at := time.Unix(1_000_000, 0)
	for _, c := range []struct{ late, next time.Duration }{
		{0, every},
		{time.Second, every},
		{-time.Second, every}, // the clock goes slower than time
		{150 * time.Second, 3 * every},
		{-48 * time.Hour, -48*time.Hour + every}, // it was put back
		{-every, 0},                              // a new beat, from then on
	} {
		got := time.Unix(0, plan.NextTick(at.UnixNano(), every, at.Add(c.late))).Sub(at)
		if got != c.next {
			t.Errorf("fired %v late the next tick is due after %v, want %v", c.late, got, c.next)
		}
	}
}
