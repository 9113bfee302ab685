package engine_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"penstock/engine"
)

// BenchmarkHop moves values of 128 bytes from a source to a sink: one channel,
// two committing stages. ns/op is per message.
func BenchmarkHop(b *testing.B) {
	for _, sync := range []time.Duration{0, 2 * time.Minute} {
		for _, size := range []int{16, 128, 1024} {
			b.Run(fmt.Sprintf("sync=%v/%dB", sync, size), func(b *testing.B) {
				benchmarkHop(b, sync, size)
			})
		}
	}
}

// hopping is a pipeline that moves a value n times from a source to a sink, which
// sums the bytes and counts.
func hopping(n uint64, value []byte) (p *engine.Pipeline, received *uint64) {
	p, received = engine.New("bench"), new(uint64)
	source := engine.Source(p, "source", func(_ context.Context, at *Place, emit engine.Emit[[]byte]) error {
		for range 64 {
			if at.Next == n {
				return io.EOF
			}
			emit(value)
			at.Next++
		}
		return nil
	})
	engine.Sink(p, "sink", source, func(_ context.Context, sum *uint64, m engine.Message[[]byte]) error {
		*sum += uint64(len(m.Value))
		*received++
		return nil
	})
	return p, received
}

func benchmarkHop(b *testing.B, sync time.Duration, size int) {
	value := make([]byte, size)
	for i := range value {
		value[i] = byte(i)
	}
	n := uint64(b.N)
	p, received := hopping(n, value)
	config := quiet(b.TempDir())
	config.Sync = sync
	b.ReportAllocs()
	b.SetBytes(int64(size))
	b.ResetTimer()
	if err := p.Run(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if *received != n {
		b.Fatalf("received %d of %d", *received, n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(float64(n)/float64(p.Status().Stages[0].Commits), "msgs/frame")
}
