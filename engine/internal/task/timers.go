package task

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"penstock/engine/internal/answer"
)

// alarm is the latest time at which a timer fires, even if the clock is set back.
type alarm struct {
	due    int64 // of the timer that this is about
	latest time.Time
}

// alarms are the last two that a timer had: a rollback may restore the first of them.
type alarms [2]alarm

// latest returns the latest time at which a timer fires that is due after left. The first answer for a due time stays.
func (a *alarms) latest(due int64, now time.Time, left time.Duration) time.Time {
	switch due {
	case a[0].due:
	case a[1].due:
		a[0], a[1] = a[1], a[0]
	default:
		a[0], a[1] = alarm{due, now.Add(left)}, a[0]
	}
	return a[0].latest
}

// timerSet holds the timers of a task.
type timerSet struct {
	due    []int64 // Unix nanoseconds; 0 is never
	alarms []alarms
	marked []int64 // due, before the call at hand
	ticked bool    // the last call was a timer's
	next   int     // whose turn it is
	atEnd  []int64 // those that were due at the end of the stage; nil before
}

// SetTimer sets the timer of that name, or stops it.
func (t *Task) SetTimer(name string, due int64) {
	k := t.Definition.Timer(name)
	if k < 0 {
		panic(fmt.Sprintf("engine: stage %s has no timer %q: give it one with engine.OnTimer", t.Definition.Name, name))
	}
	t.timers.due[k] = due
}

// left returns how long it is until a timer is due.
func (t *Task) left(timer int, now time.Time) time.Duration {
	due := t.timers.due[timer]
	left := time.Duration(due - now.UnixNano())
	if every := t.Definition.Timers[timer].Every; every > 0 {
		left = min(left, every)
	}
	return min(left, t.timers.alarms[timer].latest(due, now, left).Sub(now))
}

// dueTimer returns a timer that is due, in turn, or -1.
func (t *Task) dueTimer() int {
	if len(t.timers.due) == 0 {
		return -1
	}
	now := t.Run.Clock.Now()
	for k := range t.timers.due {
		timer := (t.timers.next + k) % len(t.timers.due)
		if due := t.timers.due[timer]; due != 0 && t.left(timer, now) <= 0 && !t.timerWaits(timer) && !t.isAfterEnd(timer, now) {
			return timer
		}
	}
	return -1
}

func (t *Task) callTimer(ctx context.Context, timer int) error {
	now := t.Run.Clock.Now()
	t.call = t.unitCall(unitOfTimer(timer))
	t.call.due = t.timers.due[timer]
	t.traceCall(nil)
	t.mark()
	t.Batch.begin(now.UnixNano())
	t.timers.due[timer] = t.Definition.Timers[timer].NextDue(t.timers.due[timer], now)
	err := t.invoke(ctx, func() error {
		err := t.Processor.CallTimer(ctx, timer, now)
		if t.call.Attempt > 1 && (err == nil || err == io.EOF) { // the state that it left may be what failed
			if unsaved := t.Processor.Keeper().Check(); unsaved != nil {
				err = unsaved
			}
		}
		return err
	})
	if t.Batch.CallErr != nil && (err == nil || err == io.EOF) {
		err = t.Batch.CallErr
	}
	switch {
	case answer.IsUnavailable(err):
		return t.timerFindsNobody(timer, err)
	case err != nil && err != io.EOF:
		return err
	}
	t.ending.asked = t.ending.asked || err == io.EOF
	t.succeeded(t.call.unit)
	t.hasAnswered()
	t.moved(nil)
	return nil
}

// timerFindsNobody undoes a tick whose function returned Unavailable.
func (t *Task) timerFindsNobody(timer int, said error) error {
	t.traceFailed(said)
	t.isAway(t.call.unit, t.call.unit, said)
	if !t.undo() {
		return errRewind
	}
	t.Batch.undo()
	t.timers.due[timer] = t.call.due
	return nil
}

const timerUnit = "timer:"

func unitOfTimer(timer int) string { return timerUnit + strconv.Itoa(timer) }

// timerOf is the timer that a unit names, or -1.
func timerOf(unit string) int {
	if number, found := strings.CutPrefix(unit, timerUnit); found {
		if t, err := strconv.Atoi(number); err == nil {
			return t
		}
	}
	return -1
}

// skipTick leaves out the tick that failed. It returns false if the last commit has another due time for the timer:
// then the tick comes again, alone.
func (t *Task) skipTick(timer int, due int64) bool {
	committed := t.timers.due[timer]
	now := t.Run.Clock.Now()
	if due != 0 && due != committed || committed == 0 || t.left(timer, now) > 0 {
		return false
	}
	t.timers.due[timer] = t.Definition.Timers[timer].NextDue(committed, now)
	t.succeeded(unitOfTimer(timer))
	return true
}
