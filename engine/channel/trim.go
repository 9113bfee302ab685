package channel

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/faultpoint"

	"github.com/nats-io/nats.go/jetstream"
)

// Trim removes the instance's frames with a sequence below before, but never its last one: that is the instance's
// memory. It asks the server twice at most and does nothing when there is nothing to remove. It makes one attempt, while
// no publish is under way, and answers [ErrMayNot] when Spec.MayTrim says so.
func (c *Channel) Trim(ctx context.Context, before uint64) error {
	state, err := c.state(ctx)
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	if before = min(before, state.LastSeq); before <= state.FirstSeq || state.Msgs == 0 {
		return nil
	}
	opts := []jetstream.StreamPurgeOpt{jetstream.WithPurgeSequence(before)}
	if state.NumSubjects > 1 {
		rec, found, err := c.last(ctx)
		if err != nil {
			return fmt.Errorf("trim: %w", err)
		}
		if before = min(before, rec.Sequence); !found || before <= state.FirstSeq {
			return nil
		}
		opts = []jetstream.StreamPurgeOpt{jetstream.WithPurgeSequence(before), jetstream.WithPurgeSubject(c.subject)}
	}
	faultpoint.Hit(faultpoint.MidTrim, c.spec.Stage)
	err = c.purge(ctx, opts)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("trim: %w", c.lostError())
	}
	if err != nil {
		return fmt.Errorf("trim stream %s below sequence %d: %w", c.name, before, err)
	}
	return nil
}

// purge has the stream for itself: nats-server 2.15 waits for itself for ever when it is to purge a stream of which it
// could not write a message, for want of space, and that must not happen between the look and the purge.
func (c *Channel) purge(ctx context.Context, opts []jetstream.StreamPurgeOpt) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.spec.MayTrim != nil && !c.spec.MayTrim() {
		return ErrMayNot
	}
	return c.stream.Load().Purge(ctx, opts...)
}
