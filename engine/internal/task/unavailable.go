package task

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/internal/answer"
	"penstock/engine/supervise"
)

// The answer Unavailable is no failure, from any function of a stage. The call is undone and made again after a delay,
// which grows to some seconds, until it gets another answer. Each try is one call. A message at the head of an input,
// or a timer, waits alone: the rest of the stage goes on. A source and the hooks Start, BeforeCommit and End make
// their whole stage wait.

// errStopsWaiting ends the wait for a system outside, because the run drains. It is no failure.
var errStopsWaiting = errors.New("the run ends while the service that the stage calls is unavailable")

// undoAway undoes a message or a timer whose function panicked with Unavailable instead of returning it.
func (t *Task) undoAway(ctx context.Context, said error) error {
	t.traceFailed(said)
	t.calledOut(false)
	err := errRewind
	if i := t.call.input; i != nil {
		away := t.whileUnavailable(i, said)
		err = t.contained(ctx, func() error { return t.postpone(ctx, i, away) })
	} else {
		t.isAway(t.call.unit, t.call.unit, said)
	}
	if err == nil {
		return nil
	}
	return t.Fail(ctx, err)
}

// whileUnavailable returns how long the head of an input waits.
func (t *Task) whileUnavailable(i *Input, said error) error {
	return &answer.Snooze{Delay: t.isAway(inputCall(i), t.call.name(), said)}
}

// awaitOther waits until a call that holds up its stage is to be made again. A stop or a drain ends the wait.
func (t *Task) awaitOther(ctx context.Context, call, unit string, said error) error {
	t.isAway(call, unit, said)
	return t.awaitTry(ctx, call)
}

// awaitTry is awaitOther for an answer that has been noted.
func (t *Task) awaitTry(ctx context.Context, call string) error {
	until, _ := t.away(call)
	for {
		if t.Run.IsDraining() {
			return errStopsWaiting
		}
		left := until.Sub(t.Run.Clock.Now())
		if left <= 0 {
			return ctx.Err()
		}
		if err := t.Run.Clock.Pause(ctx, min(left, drainLook)); err != nil {
			return err
		}
	}
}

// unlessAway makes a call that holds up its stage until it succeeds or fails.
func (t *Task) unlessAway(ctx context.Context, unit string, fn func() error) error {
	for {
		err := t.hook(ctx, unit, fn)
		if !answer.IsUnavailable(err) {
			if err == nil {
				t.isBack(unit)
			}
			return err
		}
		t.traceFailed(err)
		if err := t.awaitOther(ctx, unit, unit, err); err != nil {
			return err
		}
	}
}

// undoneIfAway calls a function of the whole stage, and undoes what it did if it answers Unavailable. It runs where the
// user's functions run, since undoing may need the codec of the state.
func (t *Task) undoneIfAway(fn func() error) error {
	t.Batch.begin(0)
	timers := append([]int64(nil), t.timers.due...)
	restore := t.Processor.Keeper().Save()
	err := supervise.Contain(fn)
	if err == nil && t.Batch.CallErr != nil {
		err = t.role.unsent(t.call.name(), t.Batch.CallErr)
	}
	if !answer.IsUnavailable(err) {
		return err
	}
	t.Batch.undo()
	copy(t.timers.due, timers)
	if unrestored := restore(); unrestored != nil {
		return fmt.Errorf("undo the %s, which returned %v: %w", t.call.name(), err, unrestored)
	}
	return err
}
