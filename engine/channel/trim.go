package channel

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/faultpoint"

	"github.com/nats-io/nats.go/jetstream"
)

// Trim removes the instance's frames with a sequence below before, but never its last one: that is the instance's
// memory. It asks the server twice at most and does nothing when there is nothing to remove. It makes one attempt.
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
	err = c.stream.Load().Purge(ctx, opts...)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("trim: %w", c.lostError())
	}
	if err != nil {
		return fmt.Errorf("trim stream %s below sequence %d: %w", c.name, before, err)
	}
	return nil
}
