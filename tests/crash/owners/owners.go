package owners

import (
	"context"
	"fmt"

	"penstock/engine/broker"
	"penstock/engine/channel"
)

// Check reads what is in the channels of some stages: commit numbers and offsets are dense, and once a frame of another
// owner is there, none of the one before follows. A stage without a channel is [channel.ErrStreamLost].
func Check(ctx context.Context, b *broker.Broker, pipeline string, stages []string) error {
	for _, stage := range stages {
		ch, found, err := channel.Lookup(ctx, b, pipeline, stage)
		if err == nil && !found {
			err = channel.ErrStreamLost
		}
		if err != nil {
			return fmt.Errorf("channel of %s: %w", stage, err)
		}
		if err := checkFrames(ctx, ch); err != nil {
			return fmt.Errorf("channel of %s: %w", stage, err)
		}
	}
	return nil
}

func checkFrames(ctx context.Context, ch *channel.Channel) error {
	var epoch, owner, commit uint64
	gone := map[uint64]bool{}
	next := map[string]uint64{}
	return ch.Replay(ctx, 1, func(r channel.Record) error {
		f := r.Frame
		if f.Owner != owner {
			gone[owner] = true
			owner = f.Owner
		}
		switch {
		case gone[f.Owner]:
			return fmt.Errorf("sequence %d is by an owner that was replaced", r.Sequence)
		case f.Epoch < epoch:
			return fmt.Errorf("sequence %d has epoch %d, after %d", r.Sequence, f.Epoch, epoch)
		case commit > 0 && f.Commit != commit+1:
			return fmt.Errorf("sequence %d is commit %d, after %d", r.Sequence, f.Commit, commit)
		}
		epoch, commit = f.Epoch, f.Commit
		for _, section := range f.Sections {
			if want, known := next[section.Branch]; known && section.Base != want {
				return fmt.Errorf("sequence %d begins at offset %d, want %d", r.Sequence, section.Base, want)
			}
			next[section.Branch] = section.Next()
		}
		return nil
	})
}
