package engine

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/supervise"
)

// An answer Unavailable is no failure, whatever function of a stage gives it.
// The call is undone, and made again after a delay that grows to some seconds,
// for as long as it takes; each try is one call. What waits besides is
// different: the head of an input, or a timer, waits alone. A source, and the
// hooks Start, BeforeCommit and End, hold up their stage.

// errStopsWaiting ends a life that waits for the other side, because the run
// drains. It is no failure.
var errStopsWaiting = errors.New("the run ends while the stage waits for what it calls")

// undoAway undoes a message or a timer that was answered with Unavailable where
// an answer is not looked at: by a panic.
func (in *session) undoAway(ctx context.Context, answer error) error {
	in.traceFailed(answer)
	in.calledOut(false)
	err := errRewind
	if i := in.call.input; i != nil {
		err = in.postpone(i, in.whileUnavailable(i, answer))
	} else {
		in.isAway(in.call.unit, in.call.unit, answer)
	}
	if err == nil {
		return nil
	}
	return in.fail(ctx, err)
}

// whileUnavailable is how long the head of an input waits.
func (in *session) whileUnavailable(i *input, answer error) error {
	return &snooze{in.isAway(inputCall(i), in.call.name(), answer)}
}

// awaitOther waits in place until a call is to be made again: what makes it
// cannot go on without. A stop, or a drain, ends that.
func (in *session) awaitOther(ctx context.Context, call, unit string, answer error) error {
	in.isAway(call, unit, answer)
	return in.awaitTry(ctx, call)
}

// awaitTry is awaitOther for an answer that is noted already.
func (in *session) awaitTry(ctx context.Context, call string) error {
	until, _ := in.away(call)
	for {
		if in.run.isDraining() {
			return errStopsWaiting
		}
		left := until.Sub(in.run.clock.Now())
		if left <= 0 {
			return ctx.Err()
		}
		if err := in.run.clock.Pause(ctx, min(left, drainLook)); err != nil {
			return err
		}
	}
}

// unlessAway makes a call that holds up its stage until it succeeds or fails.
func (in *session) unlessAway(ctx context.Context, unit string, fn func() error) error {
	for {
		err := in.hook(ctx, unit, fn)
		if !isUnavailable(err) {
			if err == nil {
				in.isBack(unit)
			}
			return err
		}
		in.traceFailed(err)
		if err := in.awaitOther(ctx, unit, unit, err); err != nil {
			return err
		}
	}
}

// undoneIfAway calls a function for the whole stage, and undoes what it did when
// it answers Unavailable. It runs where the user's functions do, for the state's
// codec may be needed.
func (in *session) undoneIfAway(fn func() error) error {
	in.batch.begin(0)
	timers := append([]int64(nil), in.timers.due...)
	restore := in.machine.keeper().Save()
	err := supervise.Contain(fn)
	if err == nil && in.batch.callErr != nil {
		err = in.unsent(in.call.name(), in.batch.callErr)
	}
	if !isUnavailable(err) {
		return err
	}
	in.batch.undo()
	copy(in.timers.due, timers)
	if unrestored := restore(); unrestored != nil {
		return fmt.Errorf("undo what %s did, which answered that %v: %w", in.call.unit, err, unrestored)
	}
	return err
}
