package engine_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"penstock/engine"
)

// At most one message at each tick.
func TestTimerReleasesWhatIsHeldOnTheOnlyInput(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p := engine.New("paced")
	got := collect[uint64](t)
	paced := engine.Stage(p, "pace",
		engine.Every(time.Millisecond, func(_ context.Context, allowed *int, _ time.Time, _ engine.Emit[uint64]) error {
			*allowed = 1
			return nil
		}),
		engine.On(engine.Source(p, "numbers", count(3, 1)), func(_ context.Context, allowed *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if *allowed == 0 {
				return engine.Hold
			}
			*allowed--
			emit(m.Value)
			return nil
		}))
	engine.Sink(p, "sink", paced, got.sink)
	if err := p.Run(ctx, testConfig(t, t.TempDir())); err != nil || !p.Status().Completed {
		t.Fatalf("complete: %v, error: %v", p.Status().Completed, err)
	}
	if !slices.Equal(got.all(), []uint64{0, 1, 2}) {
		t.Errorf("got %v", got.all())
	}
}

func TestTimerEOFEndsTheStage(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p := engine.New("eof")
	engine.Discard(engine.Stage(p, "timed",
		engine.Every(time.Millisecond, func(context.Context, *int, time.Time, engine.Emit[uint64]) error { return io.EOF }),
		engine.On(engine.Source(p, "numbers", func(ctx context.Context, _ *int, _ engine.Emit[uint64]) error {
			<-ctx.Done()
			return ctx.Err()
		}), func(context.Context, *int, engine.Message[uint64], engine.Emit[uint64]) error { return nil })))
	if err := p.Run(ctx, testConfig(t, t.TempDir())); err != nil || !p.Status().Completed {
		t.Errorf("io.EOF of a timer does not end the stage: error %v", err)
	}
}
