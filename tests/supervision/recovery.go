//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"penstock/engine"
)

func (m *measurement) recovery(ctx context.Context, out io.Writer) error {
	rows := [][]string{{"sync", "", "p50 ms", "p90 ms", "p99 ms", "max ms", "n"}}
	for _, sync := range []struct {
		name     string
		interval time.Duration
	}{{"lazy", lazily}, {"always", 0}} {
		for _, way := range []struct {
			name   string
			panics bool
		}{{"a commit without a panic", false}, {"from the panic to the next commit", true}} {
			m.tell("recovery, sync %s, %s", sync.name, way.name)
			took, err := m.comeback(ctx, sync.interval, way.panics)
			if err != nil {
				return err
			}
			row := []string{sync.name, way.name}
			for _, p := range []float64{0.5, 0.9, 0.99, 1} {
				row = append(row, fmt.Sprintf("%.2f", percentile(took, p)))
			}
			rows = append(rows, append(row, fmt.Sprint(len(took))))
		}
	}
	return table(out, "From a panic until the next stage has the message, restart without delay", rows)
}

// comeback is how long each message took, in milliseconds, from before the
// panic, or before the answer, until the next stage had it.
func (m *measurement) comeback(ctx context.Context, sync time.Duration, panics bool) (took []float64, err error) {
	config := m.config(sync)
	defer os.RemoveAll(config.Dir)
	total := uint64(m.panics)
	arrived := make(chan struct{}, 1)
	arrived <- struct{}{}
	p := engine.New("recovery")
	numbers := engine.Source(p, "source", func(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
		if at.Next == total {
			return io.EOF
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	var began time.Time
	passed := engine.Stage(p.With(forEver(0)...), "stage", engine.On(numbers,
		func(_ context.Context, count *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if m.Attempt == 1 {
				began = time.Now()
			}
			if m.Attempt == 1 && panics {
				panic("not well")
			}
			*count++
			emit(m.Value)
			return nil
		}))
	engine.Sink(p, "sink", passed, func(context.Context, *struct{}, engine.Message[uint64]) error {
		took = append(took, milliseconds(time.Since(began)))
		arrived <- struct{}{}
		return nil
	})
	if err := p.Run(ctx, config); err != nil {
		return nil, fmt.Errorf("run the pipeline: %w", err)
	}
	if len(took) != m.panics {
		return nil, fmt.Errorf("%d of %d messages arrived: interrupted", len(took), m.panics)
	}
	return took, nil
}
