package engine_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"penstock/engine"
)

// BenchmarkLatency sends one message at a time through two hops: a source, a
// processor and a sink, the next one when the one before has arrived. That is
// what a message takes when nothing waits: two commits one after the other.
func BenchmarkLatency(b *testing.B) {
	for _, sync := range []time.Duration{0, 2 * time.Minute} {
		b.Run(fmt.Sprintf("sync=%v", sync), func(b *testing.B) { benchmarkLatency(b, sync) })
	}
}

func benchmarkLatency(b *testing.B, sync time.Duration) {
	n := uint64(b.N)
	arrived := make(chan struct{}, 1)
	arrived <- struct{}{}
	p := engine.New("latency")
	beats := engine.Source(p, "source", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
		if at.Next == n {
			return io.EOF
		}
		emit(at.Next, engine.WithTime(time.Now()))
		at.Next++
		return nil
	})
	passed := engine.Stage(p, "pass", engine.On(beats,
		func(_ context.Context, count *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*count++
			emit(m.Value)
			return nil
		}))
	took := make([]time.Duration, 0, n)
	engine.Sink(p, "sink", passed, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		took = append(took, time.Since(m.Time))
		arrived <- struct{}{}
		return nil
	})
	config := quiet(b.TempDir())
	config.Sync = sync
	b.ResetTimer()
	if err := p.Run(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
