package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"penstock/engine"
)

// perCall is how many values a source emits a call, unless that is the point.
const perCall = 64

// place is a source's state.
type place struct{ Next uint64 }

// tally is a state that counts: committed exactly once with its position.
type tally struct{ Count, Sum uint64 }

// watch takes the time from the first call of a source until every stage has
// stopped, its last commit done.
type watch struct {
	first       sync.Once
	start, stop time.Time
}

func (w *watch) begin() { w.first.Do(func() { w.start = time.Now() }) }

// runPipeline runs a pipeline, whose sources begin the watch, to its end.
func runPipeline(ctx context.Context, p *engine.Pipeline, w *watch, dir string, sync syncMode) (o outcome, err error) {
	err = p.Run(ctx, engine.Config{
		Dir:    dir,
		Sync:   sync.interval,
		Logger: slog.New(slog.DiscardHandler),
		OnStop: func() { w.stop = time.Now() },
	})
	if err != nil {
		return o, fmt.Errorf("run the pipeline: %w", err)
	}
	o.status = p.Status()
	if err := ctx.Err(); err != nil {
		return o, fmt.Errorf("the pipeline was stopped: %w", err)
	}
	if !o.status.Completed {
		return o, fmt.Errorf("the pipeline ended before its end: %+v", o.status.Stages)
	}
	for _, s := range o.status.Stages {
		if s.DeadLetters > 0 || s.Restarts > 0 {
			return o, fmt.Errorf("the stage %s failed: %d restarts, %d dead letters", s.Name, s.Restarts, s.DeadLetters)
		}
	}
	o.took = w.stop.Sub(w.start)
	return o, nil
}

// source emits n values that make gives, so many a call.
func source[T any](p *engine.Pipeline, w *watch, name string, n uint64, step int, make func(uint64) T) *engine.Stream[T] {
	return engine.Source(p, name, func(_ context.Context, at *place, emit engine.Emit[T]) error {
		w.begin()
		for range step {
			if at.Next == n {
				return io.EOF
			}
			emit(make(at.Next))
			at.Next++
		}
		return nil
	})
}

// expect fails a run that did not see n messages.
func expect(what string, got, n uint64) error {
	if got != n {
		return fmt.Errorf("%s: %d instead of %d", what, got, n)
	}
	return nil
}
