package unstablecounter

import (
	"context"
	"io"
	"time"
)

// Interval is the time between two ticks.
const Interval = 10 * time.Millisecond

// Ticks is a clock for Options.Tick: the first call starts it, each waits for
// the next tick, and after limit ticks it answers io.EOF; 0 is no limit. The
// ticks are those of the process, they are not kept. Not safe for concurrent
// use.
func Ticks(limit uint64) func(ctx context.Context) error {
	var ticker *time.Ticker
	var ticked uint64
	return func(ctx context.Context) error {
		if limit > 0 && ticked == limit {
			return io.EOF
		}
		if ticker == nil {
			ticker = time.NewTicker(Interval) // the collector takes it when the clock is left
		}
		select {
		case <-ticker.C:
			ticked++
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
