package task

import (
	"context"

	"penstock/engine/internal/inflight"
	"penstock/engine/supervise"
)

// Every call of a function of the user, but that of a source, is made by invoke:
// watched by the deadline, noted for the next process, and, in quarantine,
// while no other stage is in its user's code. Its panics end in
// contained, which surrounds a round of calls of messages and timers, or one
// call of a hook: that costs too much to be done for each message.

// contained runs calls of the user's functions: their panics end here, and
// meanwhile the task can be abandoned. Who calls the user's code within has looked
// at its errors: their kind is asked for before they come here.
func (t *Task) contained(ctx context.Context, calls func() error) error {
	t.Code.Custody.enter()
	t.Waiting.calling.Enter()
	err := supervise.Catch(calls)
	t.endTurn(ctx)
	if !t.Code.Custody.Abandoned() {
		t.Waiting.calling.Leave()
	}
	if !t.Code.Custody.leave() {
		return errAbandoned
	}
	return err
}

// hook makes a call of a unit, with its panics contained.
func (t *Task) hook(ctx context.Context, unit string, fn func() error) error {
	t.call = t.unitCall(unit)
	return t.contained(ctx, func() error {
		return t.invoke(ctx, func() error { return supervise.Call(fn) }) // it may end its goroutine
	})
}

// invoke makes the call at hand.
func (t *Task) invoke(ctx context.Context, fn func() error) error {
	if err := t.enterCall(ctx); err != nil {
		return err
	}
	err := fn()
	if err != nil {
		err = supervise.OrPanic(err)
	}
	t.leaveCall(ctx)
	return err
}

// enterCall comes before the call at hand. A call of a unit does not wait for
// its turn when ctx is done: what stops must not.
func (t *Task) enterCall(ctx context.Context) error {
	c := &t.call
	err := t.takeTurn(ctx)
	if c.input == nil {
		t.Code.turn.use(t, c)
		t.Code.watch.enterUnit(c.unit)
		t.Code.slot.Enter(c.kind(), t.Code.handed.input, t.Code.handed.offset, t.Code.handed.count)
		return nil
	}
	if err != nil {
		return err
	}
	index := c.input.index
	t.Code.turn.use(t, c)
	t.Code.handed = handed{index, c.offset, c.count}
	t.Code.watch.enterMessages(index, c.offset, c.count)
	t.Code.slot.Enter(c.kind(), max(index, 0), c.offset, c.count)
	return nil
}

// kind is what the next process knows the call as.
func (c *call) kind() inflight.Kind {
	switch {
	case c.input == nil && timerOf(c.unit) >= 0:
		return inflight.Timer
	case c.input == nil:
		return inflight.Hook
	case c.input.Replays != nil:
		return inflight.Replay
	case c.count > 1:
		return inflight.Batch
	}
	return inflight.Message
}

// handed are the messages that a function got last; their count is 0 before the
// first. A goroutine that they started may end the process while a hook or a
// timer is called, so what is noted of these names the messages too.
type handed struct {
	input  int
	offset uint64
	count  int
}
