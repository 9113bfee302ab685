package engine

import (
	"context"
	"fmt"
	"math"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
)

// TimerFunc is called when a timer is due. It may do what a MessageFunc may,
// but Hold, Snooze and Reject.
type TimerFunc[S, Out any] func(ctx context.Context, state *S, now time.Time, emit Emit[Out]) error

// Every calls fn each d, as long as the stage has not ended. What a tick does
// is committed like the effect of a message; the next due time is part of the
// commit, so that a restart neither repeats nor forgets a tick. Ticks that
// were missed while the stage was down are made up by one. When the clock is
// put forward a tick comes at once, and when it is put back the next one comes d
// later at most.
func Every[S, Out any](d time.Duration, fn TimerFunc[S, Out]) Part[S, Out] {
	return partFunc[S, Out](func(t *typed[S, Out]) {
		if d <= 0 {
			t.stage.Problem("engine.Every(%v): the interval must be positive", d)
		}
		t.addTimer(plan.Timer{Every: d}, fn)
	})
}

// OnTimer calls fn once when the timer of that name is due. SetTimer sets it,
// CancelTimer stops it. When it is due is part of the commit of the call that
// set it, so it survives restarts, and fires once: the effect of fn and that
// it has fired are committed together. When the stage comes to its end, timers
// that are due then are called, and all others are gone: what is left to do
// belongs in Hooks.End.
//
// It is due when the clock shows its time. While the process runs it does not
// wait longer than was left when it was set: if the clock is put back meanwhile
// the function may be called before the clock shows that time again. A clock
// that is put forward is noticed within a minute.
func OnTimer[S, Out any](name string, fn TimerFunc[S, Out]) Part[S, Out] {
	return partFunc[S, Out](func(t *typed[S, Out]) {
		if err := plan.CheckName("timer", name); err != nil {
			t.stage.Problems = append(t.stage.Problems, err)
		}
		if t.stage.Timer(name) >= 0 {
			t.stage.Problem("it has two timers named %q", name)
		}
		t.stage.SetsTimers = true
		t.addTimer(plan.Timer{Name: name}, fn)
	})
}

func (t *typed[S, Out]) addTimer(d plan.Timer, fn TimerFunc[S, Out]) {
	if fn == nil {
		t.stage.Problem("the function of its timer is nil")
	}
	t.stage.Timers = append(t.stage.Timers, d)
	t.ticks = append(t.ticks, fn)
}

// SetTimer sets the timer of that name (see OnTimer) to fire once at the given
// time, instead of when it was set to before. It belongs to the call that ctx
// belongs to, and takes effect with it. It panics when ctx is not that of a
// call of a stage with such a timer: a wiring mistake.
func SetTimer(ctx context.Context, name string, at time.Time) { setTimer(ctx, name, dueAt(at)) }

// CancelTimer stops the timer of that name; see SetTimer.
func CancelTimer(ctx context.Context, name string) { setTimer(ctx, name, 0) }

// dueAt is a time in nanoseconds, also one that has no such number. 0 is never.
func dueAt(at time.Time) int64 {
	switch {
	case at.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	case !at.After(time.Unix(0, 0)):
		return 1
	}
	return at.UnixNano()
}

func setTimer(ctx context.Context, name string, due int64) {
	in := task.TaskOf(ctx)
	if in == nil {
		panic(fmt.Sprintf("engine: timer %q: outside a call of a stage", name))
	}
	in.SetTimer(name, due)
}
