package task

import (
	"context"
	"sync/atomic"

	"penstock/engine/internal/waits"
	"penstock/internal/pause"

	"penstock/engine/internal/inflight"
	"penstock/engine/internal/quarantine"
)

// userTurn is a task's turn to be in the user's code, in quarantine:
// only one task has it. The messages that it was used for last may still do
// harm when their function has returned.
type userTurn struct {
	held     atomic.Bool
	messages *Input // nil: it was used for a unit
	offset   uint64 // of the first message
	far      bool   // from every suspect
}

// use notes what the turn is used for.
func (t *userTurn) use(in *Task, c *call) {
	t.messages, t.offset = c.input, c.offset
	t.far = t.held.Load() && c.input != nil && in.distance(c.input, c.offset) > 0
}

// mayHarm says that what the turn was used for is to be looked at before others go on.
func (t *userTurn) mayHarm() bool { return t.held.Load() && !t.far }

// takeTurn waits, in quarantine, until no other stage is in its
// user's code.
func (t *Task) takeTurn(ctx context.Context) error {
	if !t.Run.Quarantine.IsOn() || t.Code.turn.held.Load() {
		return nil
	}
	t.Waiting.waits.Begin(waits.Turn, "quarantine mode: messages that may have killed the process are tried one at a time")
	entered, err := t.Run.Quarantine.Enter(ctx)
	t.Waiting.waits.End(waits.Turn)
	if err != nil || !entered {
		return err
	}
	t.Code.turn.held.Store(true)
	if t.Code.Custody.Abandoned() { // who abandoned it may have looked before
		t.giveTurn()
		return errAbandoned
	}
	return nil
}

func (t *Task) giveTurn() {
	if t.Code.turn.held.Swap(false) {
		t.Run.Quarantine.Leave()
	}
}

// leaveCall comes after a call of the user's code.
func (t *Task) leaveCall(ctx context.Context) {
	t.Code.watch.leave()
	switch {
	case !t.Code.turn.held.Load():
		t.Code.slot.Leave()
		return
	case t.Code.turn.messages == nil:
		_ = pause.For(ctx, quarantine.Pause)
		t.Code.slot.Leave()
	case t.Code.turn.far:
		t.Code.slot.Leave()
		return // until endTurn
	default:
		t.linger(ctx)
	}
	t.giveTurn()
}

// linger waits while the message that was handled may still do harm.
func (t *Task) linger(ctx context.Context) {
	i, offset := t.Code.turn.messages, t.Code.turn.offset
	stream := i.String()
	all, held := t.Run.Quarantine.Pauses(t.message(stream, offset))
	err := pause.For(ctx, held)
	if err == nil && all > held {
		t.Code.slot.Enter(inflight.After, i.index, offset, 1)
		err = pause.For(ctx, all-held)
	}
	t.Code.slot.Leave()
	if err == nil {
		t.Run.Quarantine.Passed(t.message(stream, offset+1))
	}
}

// endTurn comes after a round of calls. In quarantine no other stage goes
// on, and nothing is committed, as long as one of these may still do harm.
func (t *Task) endTurn(ctx context.Context) {
	t.leaveCall(ctx) // of a function that panicked
	if !t.Code.turn.held.Load() {
		return
	}
	if pause.For(ctx, quarantine.NearPause) == nil {
		t.Run.Quarantine.Passed(t.message(t.Code.turn.messages.String(), t.Code.turn.offset+1))
	}
	t.giveTurn()
}

// distance is, in quarantine, how many messages of an input may be taken
// in a batch, because they are far from every suspect; 0: the next one needs
// care.
func (t *Task) distance(i *Input, offset uint64) uint64 {
	return t.Run.Quarantine.Distance(t.message(i.String(), offset))
}
