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

// A keyed stage with 1, 2 and 4 partitions, in turn in the same run: one whose function takes 20 µs of a core, and one
// that counts a million keys. The metrics are how many times faster than with one partition it is.
//
//	go test -run '^$' -bench Partitions -benchtime 5x ./engine
func BenchmarkPartitions(b *testing.B) {
	b.Run("20µs", func(b *testing.B) { benchmarkPartitions(b, 100_000, 1000, spin(20*time.Microsecond)) })
	b.Run("million-keys", func(b *testing.B) { benchmarkPartitions(b, 2_000_000, 1_000_000, func() {}) })
}

func benchmarkPartitions(b *testing.B, n, keys uint64, work func()) {
	widths := []int{1, 2, 4}
	took := map[int][]float64{}
	for b.Loop() {
		for _, width := range widths {
			took[width] = append(took[width], partitioned(b, n, keys, width, work).Seconds())
		}
	}
	median := func(width int) float64 {
		slices.Sort(took[width])
		return took[width][len(took[width])/2]
	}
	for _, width := range widths {
		b.ReportMetric(float64(n)/median(width), fmt.Sprintf("msgs/s-P%d", width))
		if width > 1 {
			b.ReportMetric(median(1)/median(width), fmt.Sprintf("x-P%d", width))
		}
	}
}

func partitioned(b *testing.B, n, keys uint64, width int, work func()) time.Duration {
	p := engine.New("partitions")
	var start time.Time
	numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 0 {
			start = time.Now()
		}
		for range 1000 {
			if at.Next == n {
				return io.EOF
			}
			emit(at.Next * 0x9e3779b97f4a7c15 % keys)
			at.Next++
		}
		return nil
	})
	engine.Sink(p.With(engine.Partitions(width)), "count", engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v) }),
		func(_ context.Context, count *uint64, _ engine.Message[uint64]) error {
			work()
			*count++
			return nil
		})
	if err := p.Run(b.Context(), quiet(b.TempDir())); err != nil {
		b.Fatal(err)
	}
	took := time.Since(start)
	if s := stageStatus(b, p.Status(), "count"); s.In != n {
		b.Fatalf("%d messages instead of %d", s.In, n)
	}
	return took
}

// spin keeps a core busy for about that time; how many rounds that takes is measured once.
func spin(d time.Duration) func() {
	const rounds = 1 << 20
	turn := func(n int) (x uint64) {
		for k := range n {
			x = x*31 + uint64(k)
		}
		return x
	}
	start := time.Now()
	spun = turn(rounds)
	per := int(rounds * d / time.Since(start))
	return func() {
		if turn(per) == 1 { // never, and the compiler does not know
			spun++
		}
	}
}

var spun uint64
