package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"time"

	"penstock/engine"
)

// warmup is how long messages are sent before they are measured.
const warmup = time.Second

func measureLatencies(ctx context.Context, b *bench) error {
	for _, sync := range syncModes {
		l, err := b.latency(ctx, sync)
		if err != nil {
			return fmt.Errorf("sync %s: %w", sync.name, err)
		}
		for _, q := range []struct {
			name string
			p    float64
		}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}} {
			b.add(sync, l.atSink, ours, q.name+" ms", q.p, ourGuarantee+sync.durability())
		}
		b.add(sync, l.late, "the sender itself", "p99 ms late", 0.99, "")
	}
	return nil
}

func (b *bench) add(sync syncMode, sorted []float64, system, what string, p float64, guarantee string) {
	b.report.add(figure{Case: fmt.Sprintf("two hops at %d/s", b.rate), Sync: sync.name, System: system, What: what,
		Messages: len(sorted), Rounds: []float64{percentile(sorted, p)}, Guarantee: guarantee})
}

// latencies are in milliseconds, sorted.
type latencies struct{ atSink, late []float64 }

// latency sends messages at a steady rate through source, stage and sink. The
// time of a message is when it should have been sent: if the pipeline (or the
// sender) falls behind, the messages that wait count as late, too.
func (b *bench) latency(ctx context.Context, sync syncMode) (l latencies, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	dir := b.fresh()
	defer os.RemoveAll(dir)
	pace := newPace(b.rate, warmup+time.Duration(b.seconds)*time.Second)
	skip := uint64(warmup.Seconds() * float64(b.rate))

	p := engine.New("latency")
	beats := engine.Source(p, "beats", func(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
		now, err := pace.wait(ctx, at.Next)
		if err != nil {
			return err
		}
		for ; at.Next < pace.total; at.Next++ {
			due := pace.due(at.Next)
			if due.After(now) {
				return nil
			}
			if at.Next >= skip {
				l.late = append(l.late, milliseconds(time.Since(due)))
			}
			emit(at.Next, engine.WithTime(due))
		}
		return io.EOF
	})
	passed := engine.Stage(p, "pass", engine.On(beats,
		func(_ context.Context, count *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*count++
			emit(m.Value)
			return nil
		}))
	engine.Sink(p, "sink", passed, func(_ context.Context, _ *tally, m engine.Message[uint64]) error {
		if m.Value >= skip {
			l.atSink = append(l.atSink, milliseconds(time.Since(m.Time)))
		}
		return nil
	})
	b.tell("latency, sync %s: %d messages/s for %d s", sync.name, b.rate, b.seconds)
	runtime.GC()
	if err := p.Run(ctx, engine.Config{Dir: dir, Sync: sync.interval, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return l, fmt.Errorf("run the pipeline: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return l, fmt.Errorf("stopped after %d messages: %w", len(l.atSink), err)
	}
	if want := int(pace.total - skip); len(l.atSink) != want {
		return l, fmt.Errorf("%d of %d messages arrived", len(l.atSink), want)
	}
	slices.Sort(l.atSink)
	slices.Sort(l.late)
	return l, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
