package engine_test

import (
	"context"
	"io"
	"strconv"
	"testing"

	"penstock/engine"
)

// BenchmarkKeyed counts messages by key: a few keys, which travel once a frame,
// and a million, of which nearly each message changes another one. All stay in
// memory, or a tenth of them does.
func BenchmarkKeyed(b *testing.B) {
	for _, keys := range []uint64{10, 10_000, 1_000_000} {
		b.Run(strconv.FormatUint(keys, 10), func(b *testing.B) { benchmarkKeyed(b, keys) })
	}
	b.Run("1000000/a-tenth-in-memory", func(b *testing.B) { benchmarkKeyed(b, 1_000_000, engine.KeysInMemory(100_000)) })
}

func benchmarkKeyed(b *testing.B, keys uint64, options ...engine.Option) {
	names := make([]string, keys)
	for i := range names {
		names[i] = "key-" + strconv.Itoa(i)
	}
	n := uint64(b.N)
	w := &window{}
	p := engine.New("keyed")
	numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
		w.begin()
		for range 64 {
			if at.Next == n {
				return io.EOF
			}
			emit(scatter(at.Next) % keys)
			at.Next++
		}
		return nil
	})
	var taken uint64
	engine.Sink(p.With(options...), "count", engine.KeyBy(numbers, func(v uint64) string { return names[v] }),
		func(_ context.Context, count *uint64, _ engine.Message[uint64]) error {
			*count++
			if taken++; taken == n {
				w.end()
			}
			return nil
		})
	config := quiet(b.TempDir())
	b.ResetTimer()
	if err := p.Run(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(w.allocs()/float64(n), "allocs/msg")
	b.ReportMetric(w.bytes()/float64(n), "bytes/msg")
}

// scatter gives the same unordered numbers in every run (splitmix64).
func scatter(i uint64) uint64 {
	i = (i + 1) * 0x9e3779b97f4a7c15
	i = (i ^ i>>30) * 0xbf58476d1ce4e5b9
	i = (i ^ i>>27) * 0x94d049bb133111eb
	return i ^ i>>31
}
