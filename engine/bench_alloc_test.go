package engine_test

import (
	"context"
	"io"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"penstock/engine"
)

// window counts what is allocated between a source's first call and a sink's
// last message: the hot loop of both with the channel between, without the
// start and the end of a run, which do not grow with the messages.
type window struct {
	began, ended atomic.Bool
	from, to     runtime.MemStats
}

func (w *window) begin() {
	if !w.began.Swap(true) {
		runtime.ReadMemStats(&w.from)
	}
}

func (w *window) end() {
	if !w.ended.Swap(true) {
		runtime.ReadMemStats(&w.to)
	}
}

func (w *window) allocs() float64 { return float64(w.to.Mallocs - w.from.Mallocs) }
func (w *window) bytes() float64  { return float64(w.to.TotalAlloc - w.from.TotalAlloc) }

// hop is a pipeline of a source, which emits n values, step a call, and a sink.
func hop[T any](n, step uint64, make func(uint64) T) (*engine.Pipeline, *window) {
	w := &window{}
	p := engine.New("hop")
	values := engine.Source(p, "source", func(_ context.Context, at *Place, emit engine.Emit[T]) error {
		w.begin()
		for range step {
			if at.Next == n {
				return io.EOF
			}
			emit(make(at.Next))
			at.Next++
		}
		return nil
	})
	engine.Sink(p, "sink", values, func(_ context.Context, count *uint64, _ engine.Message[T]) error {
		if *count++; *count == n {
			w.end()
		}
		return nil
	})
	return p, w
}

func itself(i uint64) uint64 { return i }

// BenchmarkHotLoop says what one message costs from a source's function to a
// sink's, by type of value and by how many a call of the source emits. Its
// allocs/msg and bytes/msg count everything in the process, the embedded
// server included.
func BenchmarkHotLoop(b *testing.B) {
	for _, step := range []uint64{1, 64} {
		percall := strconv.FormatUint(step, 10) + "-a-call"
		b.Run("uint64/"+percall, func(b *testing.B) { benchmarkHotLoop(b, step, itself) })
		text := "a message of thirty-two letters!"
		b.Run("string/"+percall, func(b *testing.B) {
			benchmarkHotLoop(b, step, func(uint64) string { return text })
		})
		type order struct {
			ID   uint64
			Item string
		}
		b.Run("json/"+percall, func(b *testing.B) {
			benchmarkHotLoop(b, step, func(i uint64) order { return order{i, "screw"} })
		})
	}
}

func benchmarkHotLoop[T any](b *testing.B, step uint64, make func(uint64) T) {
	p, w := hop(uint64(b.N), step, make)
	config := quiet(b.TempDir())
	b.ResetTimer()
	if err := p.Run(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(w.allocs()/float64(b.N), "allocs/msg")
	b.ReportMetric(w.bytes()/float64(b.N), "bytes/msg")
}

// A message that needs no memory of its own takes none: what is left belongs
// to frames, of which there are few. The bound is for a machine so slow that
// frames stay small.
func TestHotLoopAllocatesNothingPerMessage(t *testing.T) {
	const n = 200_000
	p, w := hop(n, 64, itself)
	run(t, p, t.TempDir())
	if perMessage := w.allocs() / n; perMessage > 0.5 {
		t.Errorf("%.2f allocations a message", perMessage)
	} else {
		t.Logf("%.4f allocations a message", perMessage)
	}
}
