package unstablecounter_test

import (
	"context"
	"io"
	"sync/atomic"
)

// clock ticks as often as it is asked, ticks times in all.
type clock struct {
	ticks  uint64
	ticked atomic.Uint64
	stop   func() // if set, called after stopAt ticks; nothing ticks until the context is done
	stopAt uint64
}

func (c *clock) tick(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case c.ticked.Load() == c.ticks:
		return io.EOF
	case c.stop != nil && c.ticked.Load() == c.stopAt:
		c.stop()
		c.stop = nil
		<-ctx.Done()
		return ctx.Err()
	}
	c.ticked.Add(1)
	return nil
}
