package engine_test

import (
	"context"
	"testing"

	"penstock/engine"
)

func TestFullChannelMakesTheWriterWait(t *testing.T) {
	t.Parallel()
	p := engine.New("full")
	numbers := engine.Source(p, "numbers", count(5000, 10)).WithCapacity(engine.Capacity{Messages: 100, Bytes: 64 << 10})
	var most uint64
	got := collect[uint64](t)
	engine.Sink(p, "sink", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		// The reader may get a frame before its writer has the acknowledgement.
		if out := p.Status().Stages[0].Out; out > m.Offset {
			most = max(most, out-m.Offset)
		}
		return got.sink(ctx, s, m)
	})
	run(t, p, t.TempDir())
	if len(got.all()) != 5000 {
		t.Errorf("%d values", len(got.all()))
	}
	if most > 100 {
		t.Errorf("the writer was %d messages ahead of the reader, the channel holds 100", most)
	}
}

func TestTooLargeValueIsRefusedAtItsStage(t *testing.T) {
	t.Parallel()
	p := engine.New("large")
	numbers := engine.Source(p, "numbers", count(10, 10))
	out := engine.Stage(p.With(fast), "worker", engine.On(numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[[]byte]) error {
			switch m.Value {
			case 3:
				emit(make([]byte, 9<<20))
			case 5:
				for range 20 {
					emit(make([]byte, 1<<20))
				}
			default:
				emit(make([]byte, 2<<20))
			}
			return nil
		}))
	received := 0
	engine.Sink(p, "sink", out, func(_ context.Context, _ *struct{}, m engine.Message[[]byte]) error {
		received++
		return nil
	})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "worker"); s.DeadLetters != 2 || received != 8 {
		t.Errorf("received %d, %+v", received, s)
	}
}

func TestCompressionAndBigState(t *testing.T) {
	t.Parallel()
	p := engine.New("compressed")
	numbers := engine.Source(p, "numbers", count(3000, 100)).WithCompression()
	engine.Sink(p, "sink", numbers, func(_ context.Context, all *[]uint64, m engine.Message[uint64]) error {
		*all = append(*all, m.Value)
		return nil
	})
	dir := t.TempDir()
	run(t, p, dir)
	if all := committedState[[]uint64](t, dir, "sink")[""]; len(all) != 3000 || all[2999] != 2999 {
		t.Errorf("%d in the state", len(all))
	}
}
