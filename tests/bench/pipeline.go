package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"penstock/engine"
)

// place is a source's state.
type place struct{ Next uint64 }

// tally is the sink's state: committed exactly once with its position.
type tally struct{ Count, Sum uint64 }

// pipelined is the same hop as byHand as a pipeline, whose source emits step
// values a call.
func pipelined(step int) hopFunc {
	return func(ctx context.Context, dir string, sync syncMode, n int) (time.Duration, error) {
		return runPipeline(ctx, dir, sync, n, step)
	}
}

// runPipeline returns the time from the source's first call until every stage
// has stopped, its last commit done.
func runPipeline(ctx context.Context, dir string, sync syncMode, n, step int) (took time.Duration, err error) {
	var start, stop time.Time
	var last tally
	value := make([]byte, valueSize)
	p := engine.New("hop")
	values := engine.Source(p, "values", func(_ context.Context, at *place, emit engine.Emit[[]byte]) error {
		if at.Next == 0 {
			start = time.Now()
		}
		for range step {
			if at.Next == uint64(n) {
				return io.EOF
			}
			fill(value, at.Next)
			emit(value)
			at.Next++
		}
		return nil
	})
	engine.Sink(p, "count", values, func(_ context.Context, t *tally, m engine.Message[[]byte]) error {
		if len(m.Value) != valueSize || number(m.Value) != t.Count {
			return engine.Fatal(errors.New("a message came twice, out of order or damaged"))
		}
		t.Count++
		t.Sum += uint64(len(m.Value))
		last = *t
		return nil
	})
	err = p.Run(ctx, engine.Config{
		Dir:    dir,
		Sync:   sync.interval,
		Logger: slog.New(slog.DiscardHandler),
		OnStop: func() { stop = time.Now() },
	})
	if err != nil {
		return 0, fmt.Errorf("run the pipeline: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("the pipeline was stopped at message %d of %d: %w", last.Count, n, err)
	}
	if !p.Status().Completed || last.Count != uint64(n) {
		return 0, fmt.Errorf("the pipeline ended with %d of %d messages", last.Count, n)
	}
	return stop.Sub(start), nil
}
