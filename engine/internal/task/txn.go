package task

import (
	"context"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
)

// A txn is a transaction: the outputs, the state change, the positions and the timers that become true together, in one
// frame. Task.begin takes it out of the batch, publish sends it, and Task.settled ends it once the channel has it.
// What fails before that is undone by Task.rollback.
type txn struct {
	frame    frame.Frame
	data     []byte // the frame, encoded
	expected uint64 // sequence of the commit before it
	trace    channel.Trace
	taken    uint64 // messages; of a source, calls
	ages     []aged

	pending *channel.Pending // nil until it is published
	sent    time.Time
	tail    uint64 // sequence of the last message on the subject, once it was looked at
}

// publish sends it, to follow the message with this sequence. It may be sent again: the channel takes it once.
func (x *txn) publish(to ports.Log, after uint64) {
	x.pending = to.Publish(x.data, after, x.trace)
}

// answered is closed once the answer is there. It never is without a transaction.
func (x *txn) answered() <-chan struct{} {
	if x == nil {
		return nil
	}
	return x.pending.Done()
}

// IsDone says that the answer is there.
func (x *txn) IsDone() bool {
	select {
	case <-x.answered():
		return true
	default:
		return false
	}
}

// wait returns when the answer is there.
func (x *txn) wait(ctx context.Context, clock ports.Clock) error {
	return clock.Until(ctx, x.answered())
}
