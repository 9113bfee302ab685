package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"sync/atomic"

	"penstock/engine"
)

const stateCurve = "state"

// takeRestart gives so many keys a state, kills the process, starts another
// one, stops that in an orderly way, and starts a third. The two starts are
// measured from exec to the commit of a new message.
func takeRestart(ctx context.Context, b *bench, curve string, x uint64, sync syncMode) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	dir := b.fresh()
	defer os.RemoveAll(dir)
	argument := point{Curve: curve, X: x, Sync: sync.name, Dir: dir}.String()
	loaded, _, err := spawn(ctx, "-point", argument)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	loaded.kill()
	healed, heal, err := spawn(ctx, "-point", argument)
	if err != nil {
		return nil, fmt.Errorf("start after the kill: %w", err)
	}
	if err := healed.stop(); err != nil {
		return nil, fmt.Errorf("stop: %w", err)
	}
	started, start, err := spawn(ctx, "-point", argument)
	if err != nil {
		return nil, fmt.Errorf("start after the stop: %w", err)
	}
	memory := started.resident()
	if err := started.stop(); err != nil {
		return nil, fmt.Errorf("stop: %w", err)
	}
	return map[string]float64{healTime: heal, startTime: start, idleMemory: memory}, nil
}

// runRestart is one of these processes: its source emits each key that is
// missing yet and one message more, and then nothing.
func runRestart(ctx context.Context, at point, sync syncMode, in io.Reader, out io.Writer) error {
	ctx, cancel := untilClosed(ctx, in)
	defer cancel()
	var target atomic.Uint64
	target.Store(math.MaxUint64)
	p := engine.New("restart")
	values := engine.Source(p, "values", func(ctx context.Context, place *place, emit engine.Emit[uint64]) error {
		if target.Load() == math.MaxUint64 {
			target.Store(max(at.X, place.Next) + 1)
		}
		for range perCall {
			if place.Next == target.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			emit(place.Next % max(at.X, 1))
			place.Next++
			if place.Next == target.Load() {
				return nil
			}
		}
		return nil
	})
	engine.Sink(p, "counts", engine.KeyBy(values, func(v uint64) string { return "key-" + strconv.FormatUint(v, 10) }),
		func(_ context.Context, count *uint64, _ engine.Message[uint64]) error {
			*count++
			return nil
		})
	return runChild(ctx, p, at.Dir, sync.interval, target.Load, out)
}
