package channel

import (
	"context"
	"fmt"
)

// Cut removes the instance's commits and seals behind a sequence, the last one first, so that what is left is a prefix
// at any moment. It is for a start after a cut of the power: no client may publish meanwhile, and no reader be open.
// The next frame expects the sequence of the one that is the last then.
func (c *Channel) Cut(ctx context.Context, after uint64) error {
	for {
		last, found, err := c.End(ctx)
		if err != nil || !found || last.Sequence <= after {
			return err
		}
		err = repeat(ctx, c.broker, c.logger, "remove a frame", func(ctx context.Context) error {
			return c.stream.Load().DeleteMsg(ctx, last.Sequence)
		})
		if err != nil {
			return fmt.Errorf("stream %s: remove sequence %d: %w", c.name, last.Sequence, err)
		}
	}
}
