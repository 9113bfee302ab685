//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"penstock/engine"
)

// crashLoop is a pipeline that carries a load, beside a stage that fails.
type crashLoop struct {
	load     load
	length   time.Duration
	backoff  time.Duration // of the loop
	dir      string
	crashing atomic.Bool

	began     chan struct{} // the first message has arrived
	messages  atomic.Uint64
	crashes   atomic.Uint64
	measuring atomic.Bool
	latencies []float64 // the sink's, until the run has ended
	start     time.Time // of the bounded load; the source's
}

// latencyOf is how many messages share a measured latency.
const latencyOf = 16

func (m *measurement) newCrashLoop(l load, dir string, crashes bool) *crashLoop {
	c := &crashLoop{load: l, length: m.duration, backoff: m.backoff, dir: dir, began: make(chan struct{})}
	c.crashing.Store(crashes)
	seconds := int((m.duration + 2*warmup) / time.Second)
	c.latencies = make([]float64, 0, (seconds+1)*l.rate/latencyOf)
	return c
}

// maxStep bounds what one call emits that has to catch up.
const maxStep = 10_000

type place struct{ Next uint64 }

func (c *crashLoop) pipeline() *engine.Pipeline {
	p := engine.New("isolation")
	passed := engine.Stage(p, "stage", engine.On(engine.Source(p, "source", c.source()),
		func(_ context.Context, count *uint64, m engine.Message[string], emit engine.Emit[string]) error {
			*count++
			emit(m.Value, engine.WithTime(m.Time))
			return nil
		}))
	engine.Sink(p, "sink", passed, c.arrived)

	triggers := engine.Source(p, "trigger", func(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
		if at.Next > 0 {
			<-ctx.Done()
			return ctx.Err()
		}
		for ; at.Next < 1000; at.Next++ {
			emit(at.Next)
		}
		return nil
	})
	engine.Sink(p.With(forEver(c.backoff)...).With(engine.Attempts(engine.Unlimited)), "crasher", triggers,
		func(context.Context, *struct{}, engine.Message[uint64]) error {
			if c.crashing.Load() {
				c.crashes.Add(1)
				panic("not well")
			}
			return nil
		})
	return p
}

func (c *crashLoop) source() engine.SourceFunc[place, string] {
	text := strings.Repeat("x", 128)
	if c.load.rate == 0 {
		return func(ctx context.Context, at *place, emit engine.Emit[string]) error {
			for range 64 {
				emit(text)
			}
			at.Next += 64
			return ctx.Err()
		}
	}
	interval := time.Second / time.Duration(c.load.rate)
	return func(ctx context.Context, at *place, emit engine.Emit[string]) error {
		if c.start.IsZero() {
			c.start = time.Now()
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		now := time.Now()
		for range maxStep {
			due := c.start.Add(time.Duration(at.Next) * interval) // late is late, whatever held the source up
			if due.After(now) {
				break
			}
			emit(text, engine.WithTime(due))
			at.Next++
		}
		return nil
	}
}

func (c *crashLoop) arrived(_ context.Context, count *uint64, m engine.Message[string]) error {
	if *count++; *count == 1 {
		close(c.began)
	}
	n := c.messages.Add(1)
	if n%latencyOf == 0 && c.load.rate > 0 && c.measuring.Load() {
		c.latencies = append(c.latencies, milliseconds(time.Since(m.Time)))
	}
	return nil
}

func (c *crashLoop) run(ctx context.Context, config engine.Config) (w window, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	p := c.pipeline()
	go func() { ended <- p.Run(ctx, config) }()
	w.samples, err = c.watch(ctx, ended)
	c.crashing.Store(false) // so that it drains
	stop()
	if err != nil {
		return w, err
	}
	if err := <-ended; err != nil {
		return w, fmt.Errorf("run the pipeline: %w", err)
	}
	w.latencies = c.latencies
	return w, nil
}

// watch takes the samples; an error says that the run has ended.
func (c *crashLoop) watch(ctx context.Context, ended <-chan error) (taken []sample, err error) {
	wait := func(what <-chan time.Time) error {
		select {
		case <-what:
			return nil
		case err := <-ended:
			return errors.Join(errors.New("the pipeline ended too early"), err)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), <-ended)
		}
	}
	select {
	case <-c.began:
	case err := <-ended:
		return nil, errors.Join(errors.New("the pipeline ended before its first message"), err)
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), <-ended)
	}
	if err := wait(time.After(warmup)); err != nil {
		return nil, err
	}
	c.measuring.Store(true)
	defer c.measuring.Store(false)
	ticker := time.NewTicker(c.length / samples)
	defer ticker.Stop()
	for {
		taken = append(taken, sample{lookAtProcess(), diskUse(c.dir), c.messages.Load(), c.crashes.Load()})
		if len(taken) > samples {
			return taken, nil
		}
		if err := wait(ticker.C); err != nil {
			return nil, err
		}
	}
}
