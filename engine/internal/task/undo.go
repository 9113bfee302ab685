package task

import (
	"context"
	"errors"

	"penstock/engine/internal/answer"
	"penstock/engine/supervise"
)

// mark remembers what the next call may change.
func (t *Task) mark() {
	t.Processor.Keeper().Mark()
	if t.Definition.SetsTimers {
		t.timers.marked = append(t.timers.marked[:0], t.timers.due...)
	}
}

// undo returns to the mark, and is false when only a rollback can.
func (t *Task) undo() bool {
	if !t.Processor.Keeper().Undo() {
		return false
	}
	if t.Definition.SetsTimers {
		copy(t.timers.due, t.timers.marked)
	}
	return true
}

// postpone undoes a call that was answered with Hold or Snooze, where the user's functions run. Where the
// state cannot simply be put back the instance returns to its last commit,
// commits what was before the message, and asks for it alone.
func (t *Task) postpone(ctx context.Context, i *Input, said error) error {
	undone := !i.Input.Batch && t.undo()
	if !undone && !t.clean() {
		i.alone, i.aloneAt = true, t.call.offset
		return errRewind
	}
	t.traceNothing()
	t.Batch.undo()
	if !undone {
		if err := t.restore(ctx); err != nil {
			return err
		}
	}
	t.call = call{}
	var s *answer.Snooze
	switch {
	case errors.As(said, &s):
		i.snooze(t.Run.Clock.Now().Add(s.Delay))
	case i.picked > 0:
		return errRewind // the next time it holds up all behind it
	default:
		i.held = true
	}
	return nil
}

// restore is goBack where the user's functions run. The codec of the state is one of them: it is a call of its own, and
// what goes wrong in it is no fault of the message.
func (t *Task) restore(ctx context.Context) error {
	t.call = t.unitCall(restoreUnit)
	if err := t.invoke(ctx, func() error { return supervise.Call(t.rollback) }); err != nil {
		return err
	}
	if t.Code.Custody.Abandoned() {
		return errAbandoned
	}
	t.succeeded(restoreUnit)
	return nil
}
