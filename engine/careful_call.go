package engine

import (
	"context"

	"penstock/engine/internal/inflight"
)

// enterMessages comes before a function gets messages of an input, and
// leaveCall after it returned: for the watchdog, for the process after this
// one, and when running carefully for everybody else.
func (in *session) enterMessages(ctx context.Context, i *input, offset uint64, n int) error {
	if err := in.takeTurn(ctx); err != nil {
		return err
	}
	in.calledInput, in.calledOffset = i, offset
	in.isFar = in.hasTurn.Load() && in.room(i, offset) > 0
	in.handed.input, in.handed.offset, in.handed.count = i.definition.index, offset, n
	in.watch.enterMessages(i.definition.index, offset, n)
	switch {
	case i.replays != nil:
		in.slot.Enter(inflight.Replay, 0, offset, 1)
	case n > 1:
		in.slot.Enter(inflight.Batch, i.definition.index, offset, n)
	default:
		in.slot.Enter(inflight.Message, i.definition.index, offset, 1)
	}
	return nil
}

// enterCall is enterMessages for a call that is no message. When ctx is done it
// does not wait: what stops must not.
func (in *session) enterCall(ctx context.Context, kind inflight.Kind, unit string) {
	_ = in.takeTurn(ctx)
	in.calledInput = nil
	in.watch.enterCall(unit)
	in.slot.Enter(kind, in.handed.input, in.handed.offset, in.handed.count)
}

// handed are the messages that a function got last; their count is 0 before the
// first. A goroutine that they started may end the process while a hook or a
// timer is called, so what is noted of these names the messages too.
type handed struct {
	input  int
	offset uint64
	count  int
}

func (in *session) leaveCall(ctx context.Context) {
	in.watch.leave()
	if !in.hasTurn.Load() {
		in.slot.Leave()
		return
	}
	switch {
	case in.calledInput == nil:
		_ = pause(ctx, carefulPause)
		in.slot.Leave()
	case in.isFar:
		in.slot.Leave()
		return // until endTurn
	default:
		in.linger(ctx, in.calledInput)
	}
	in.giveTurn()
}

// linger waits while the message that was handled may still do harm.
func (in *session) linger(ctx context.Context, i *input) {
	stage, stream := in.definition.name, i.definition.stream.String()
	all, held := in.run.careful.pauses(stage, stream, in.calledOffset)
	err := pause(ctx, held)
	if err == nil && all > held {
		in.slot.Enter(inflight.After, i.definition.index, in.calledOffset, 1)
		err = pause(ctx, all-held)
	}
	in.slot.Leave()
	if err == nil {
		in.run.careful.passed(stage, stream, in.calledOffset+1)
	}
}

// endTurn comes after a round of calls. When running carefully nobody else goes
// on, and nothing is committed, as long as one of these may still do harm.
func (in *session) endTurn(ctx context.Context) {
	in.leaveCall(ctx) // of a function that panicked
	if !in.hasTurn.Load() {
		return
	}
	if pause(ctx, nearPause) == nil {
		in.run.careful.passed(in.definition.name, in.calledInput.definition.stream.String(), in.calledOffset+1)
	}
	in.giveTurn()
}

// room is, when running carefully, how many messages of an input may be taken
// in a batch, because they are far from every suspect; 0: the next one needs
// care.
func (in *session) room(i *input, offset uint64) uint64 {
	return in.run.careful.room(in.definition.name, i.definition.stream.String(), offset)
}

// takeTurn waits, when running carefully, until no other stage is in its
// user's code.
func (in *session) takeTurn(ctx context.Context) error {
	if !in.run.careful.isOn() || in.hasTurn.Load() {
		return nil
	}
	in.waits.begin(waitTurn, "messages that may have killed the process are tried one at a time")
	entered, err := in.run.careful.enter(ctx)
	in.waits.end(waitTurn)
	if err != nil || !entered {
		return err
	}
	in.hasTurn.Store(true)
	if in.hold.abandoned() { // who abandoned it may have looked before
		in.giveTurn()
		return errAbandoned
	}
	return nil
}

func (in *session) giveTurn() {
	if in.hasTurn.Swap(false) {
		in.run.careful.leave()
	}
}
