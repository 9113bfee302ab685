package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkSigned is a hop with authenticated frames and without, in turn, in one
// run. It prints what the signature costs: the ratio of the times, median, least and most.
func BenchmarkSigned(b *testing.B) {
	const messages, rounds = 300_000, 5
	for _, size := range []int{128, 1024} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			for b.Loop() {
				var ratios []float64
				for round := range rounds {
					var took [2]time.Duration
					for k := range took {
						signed := (round + k) % 2 // each is the first one in turn
						took[signed] = hopOf(b, messages, size, signed == 1)
					}
					ratios = append(ratios, took[1].Seconds()/took[0].Seconds())
				}
				slices.Sort(ratios)
				b.ReportMetric(ratios[rounds/2], "signed/plain")
				b.ReportMetric(ratios[0], "least")
				b.ReportMetric(ratios[rounds-1], "most")
			}
		})
	}
}

// hopOf moves messages from a source to a sink, with the processor as the bound.
func hopOf(b *testing.B, messages uint64, size int, isSigned bool) time.Duration {
	b.Helper()
	config := quiet(b.TempDir())
	config.Sync = 2 * time.Minute
	if isSigned {
		config.FrameKeys = [][]byte{[]byte("0123456789abcdef0123456789abcdef")}
	}
	p, received := hopping(messages, make([]byte, size))
	start := time.Now()
	if err := p.Run(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	took := time.Since(start)
	if *received != messages {
		b.Fatalf("received %d", *received)
	}
	return took
}
