package engine

import (
	"context"
	"sync/atomic"

	"penstock/engine/internal/inflight"
	"penstock/engine/internal/wall"
)

// userTurn is a session's turn to be in the user's code, when running carefully:
// only one session has it. The messages that it was used for last may still do
// harm when their function has returned.
type userTurn struct {
	held     atomic.Bool
	messages *input // nil: it was used for a unit
	offset   uint64 // of the first message
	far      bool   // from every suspect
}

// use notes what the turn is used for.
func (t *userTurn) use(in *session, c *call) {
	t.messages, t.offset = c.input, c.offset
	t.far = t.held.Load() && c.input != nil && in.room(c.input, c.offset) > 0
}

// mayHarm says that what the turn was used for is to be looked at before others go on.
func (t *userTurn) mayHarm() bool { return t.held.Load() && !t.far }

// takeTurn waits, when running carefully, until no other stage is in its
// user's code.
func (in *session) takeTurn(ctx context.Context) error {
	if !in.run.careful.isOn() || in.code.turn.held.Load() {
		return nil
	}
	in.waiting.waits.begin(waitTurn, "messages that may have killed the process are tried one at a time")
	entered, err := in.run.careful.enter(ctx)
	in.waiting.waits.end(waitTurn)
	if err != nil || !entered {
		return err
	}
	in.code.turn.held.Store(true)
	if in.code.hold.abandoned() { // who abandoned it may have looked before
		in.giveTurn()
		return errAbandoned
	}
	return nil
}

func (in *session) giveTurn() {
	if in.code.turn.held.Swap(false) {
		in.run.careful.leave()
	}
}

// leaveCall comes after a call of the user's code.
func (in *session) leaveCall(ctx context.Context) {
	in.code.watch.leave()
	switch {
	case !in.code.turn.held.Load():
		in.code.slot.Leave()
		return
	case in.code.turn.messages == nil:
		_ = wall.Pause(ctx, carefulPause)
		in.code.slot.Leave()
	case in.code.turn.far:
		in.code.slot.Leave()
		return // until endTurn
	default:
		in.linger(ctx)
	}
	in.giveTurn()
}

// linger waits while the message that was handled may still do harm.
func (in *session) linger(ctx context.Context) {
	i, offset := in.code.turn.messages, in.code.turn.offset
	stage, stream := in.definition.name, i.definition.stream.String()
	all, held := in.run.careful.pauses(stage, stream, offset)
	err := wall.Pause(ctx, held)
	if err == nil && all > held {
		in.code.slot.Enter(inflight.After, i.definition.index, offset, 1)
		err = wall.Pause(ctx, all-held)
	}
	in.code.slot.Leave()
	if err == nil {
		in.run.careful.passed(stage, stream, offset+1)
	}
}

// endTurn comes after a round of calls. When running carefully nobody else goes
// on, and nothing is committed, as long as one of these may still do harm.
func (in *session) endTurn(ctx context.Context) {
	in.leaveCall(ctx) // of a function that panicked
	if !in.code.turn.held.Load() {
		return
	}
	if wall.Pause(ctx, nearPause) == nil {
		in.run.careful.passed(in.definition.name, in.code.turn.messages.definition.stream.String(), in.code.turn.offset+1)
	}
	in.giveTurn()
}

// room is, when running carefully, how many messages of an input may be taken
// in a batch, because they are far from every suspect; 0: the next one needs
// care.
func (in *session) room(i *input, offset uint64) uint64 {
	return in.run.careful.room(in.definition.name, i.definition.stream.String(), offset)
}
