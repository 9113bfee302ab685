package engine_test

import (
	"context"
	"io"
	"strconv"
	"testing"

	"penstock/engine"
)

// BenchmarkChain moves numbers through a row of processors, each of which
// keeps a sum and passes the number on: what one more stage costs when every
// stage commits on its own.
func BenchmarkChain(b *testing.B) {
	for _, stages := range []int{1, 2, 4} {
		b.Run(strconv.Itoa(stages), func(b *testing.B) { benchmarkChain(b, stages) })
	}
}

func benchmarkChain(b *testing.B, stages int) {
	n := uint64(b.N)
	p := engine.New("chain")
	numbers := engine.Source(p, "source", count(n, 64))
	for i := range stages {
		numbers = engine.Stage(p, "stage-"+strconv.Itoa(i), engine.On(numbers,
			func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				*sum += m.Value
				emit(m.Value)
				return nil
			}))
	}
	var received uint64
	engine.Sink(p, "sink", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error {
		received++
		return nil
	})
	config := quiet(b.TempDir())
	b.ResetTimer()
	if err := p.Run(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if received != n {
		b.Fatalf("received %d of %d", received, n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msgs/s")
}

// BenchmarkRun is a whole run with a single message: open, commit, close.
func BenchmarkRun(b *testing.B) {
	for b.Loop() {
		p := engine.New("run")
		numbers := engine.Source(p, "source", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
			emit(at.Next)
			return io.EOF
		})
		engine.Sink(p, "sink", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
		if err := p.Run(b.Context(), quiet(b.TempDir())); err != nil {
			b.Fatal(err)
		}
	}
}
