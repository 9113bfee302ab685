package engine

import (
	"context"
	"sync/atomic"

	"penstock/internal/pause"

	"penstock/engine/internal/inflight"
)

// userTurn is a task's turn to be in the user's code, in quarantine:
// only one task has it. The messages that it was used for last may still do
// harm when their function has returned.
type userTurn struct {
	held     atomic.Bool
	messages *input // nil: it was used for a unit
	offset   uint64 // of the first message
	far      bool   // from every suspect
}

// use notes what the turn is used for.
func (t *userTurn) use(in *task, c *call) {
	t.messages, t.offset = c.input, c.offset
	t.far = t.held.Load() && c.input != nil && in.room(c.input, c.offset) > 0
}

// mayHarm says that what the turn was used for is to be looked at before others go on.
func (t *userTurn) mayHarm() bool { return t.held.Load() && !t.far }

// takeTurn waits, in quarantine, until no other stage is in its
// user's code.
func (t *task) takeTurn(ctx context.Context) error {
	if !t.run.quarantine.isOn() || t.code.turn.held.Load() {
		return nil
	}
	t.waiting.waits.begin(waitTurn, "quarantine mode: messages that may have killed the process are tried one at a time")
	entered, err := t.run.quarantine.enter(ctx)
	t.waiting.waits.end(waitTurn)
	if err != nil || !entered {
		return err
	}
	t.code.turn.held.Store(true)
	if t.code.guard.abandoned() { // who abandoned it may have looked before
		t.giveTurn()
		return errAbandoned
	}
	return nil
}

func (t *task) giveTurn() {
	if t.code.turn.held.Swap(false) {
		t.run.quarantine.leave()
	}
}

// leaveCall comes after a call of the user's code.
func (t *task) leaveCall(ctx context.Context) {
	t.code.watch.leave()
	switch {
	case !t.code.turn.held.Load():
		t.code.slot.Leave()
		return
	case t.code.turn.messages == nil:
		_ = pause.For(ctx, quarantinePause)
		t.code.slot.Leave()
	case t.code.turn.far:
		t.code.slot.Leave()
		return // until endTurn
	default:
		t.linger(ctx)
	}
	t.giveTurn()
}

// linger waits while the message that was handled may still do harm.
func (t *task) linger(ctx context.Context) {
	i, offset := t.code.turn.messages, t.code.turn.offset
	stage, stream := t.definition.Name, i.definition.Stream.String()
	all, held := t.run.quarantine.pauses(stage, stream, offset)
	err := pause.For(ctx, held)
	if err == nil && all > held {
		t.code.slot.Enter(inflight.After, i.definition.Index, offset, 1)
		err = pause.For(ctx, all-held)
	}
	t.code.slot.Leave()
	if err == nil {
		t.run.quarantine.passed(stage, stream, offset+1)
	}
}

// endTurn comes after a round of calls. In quarantine no other stage goes
// on, and nothing is committed, as long as one of these may still do harm.
func (t *task) endTurn(ctx context.Context) {
	t.leaveCall(ctx) // of a function that panicked
	if !t.code.turn.held.Load() {
		return
	}
	if pause.For(ctx, nearPause) == nil {
		t.run.quarantine.passed(t.definition.Name, t.code.turn.messages.definition.Stream.String(), t.code.turn.offset+1)
	}
	t.giveTurn()
}

// room is, in quarantine, how many messages of an input may be taken
// in a batch, because they are far from every suspect; 0: the next one needs
// care.
func (t *task) room(i *input, offset uint64) uint64 {
	return t.run.quarantine.room(t.definition.Name, i.definition.Stream.String(), offset)
}
