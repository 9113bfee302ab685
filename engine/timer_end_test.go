package engine_test

import (
	"context"
	"testing"
	"time"

	"penstock/engine"
)

// A timer of a nanosecond is due again when it has been called, so in every
// round. It starves neither messages nor another timer, and the stage ends.
func TestATimerThatIsAlwaysDueStarvesNothing(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct{ drains bool }{"end": {}, "drain": {drains: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			end := make(chan struct{})
			p := engine.New("always")
			stage := engine.Stage(p, "stage",
				engine.On(engine.Source(p, "numbers", countUntil(3, end)), func(_ context.Context, _ *map[string]int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					emit(m.Value)
					return nil
				}),
				engine.Every(1, func(context.Context, *map[string]int, time.Time, engine.Emit[uint64]) error { return nil }),
				engine.Every(1, func(_ context.Context, s *map[string]int, _ time.Time, _ engine.Emit[uint64]) error {
					if *s == nil {
						*s = map[string]int{}
					}
					if (*s)["ticks"]++; (*s)["ticks"] != 100 {
						return nil
					}
					if of.drains {
						stop()
					} else {
						close(end)
					}
					return nil
				}))
			got := collect[uint64](t)
			engine.Sink(p, "sink", stage, got.sink)
			dir := t.TempDir()
			if err := p.Run(ctx, testConfig(t, dir)); err != nil {
				t.Fatal(err)
			}
			if s := committedState[map[string]int](t, dir, "stage")[""]; s["ticks"] < 100 {
				t.Errorf("it ended after %d ticks", s["ticks"])
			}
		})
	}
}

// The last message sets a timer that is due at once, and that one another: only
// the first is due when the stage comes to its end.
func TestATimerThatIsDueAtTheEndIsCalled(t *testing.T) {
	t.Parallel()
	p := engine.New("last")
	end := make(chan struct{})
	close(end)
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(1, end)),
		func(ctx context.Context, _ *map[string]int, _ engine.Message[uint64]) error {
			engine.SetTimer(ctx, "due", time.Now().Add(-time.Second))
			engine.SetTimer(ctx, "later", time.Now().Add(time.Hour))
			return nil
		},
		tally("due", nil), tally("later", nil))
	dir := t.TempDir()
	run(t, p, dir)
	if s := committedState[map[string]int](t, dir, "sink")[""]; s["due"] != 1 || s["later"] != 0 {
		t.Errorf("fired %v", s)
	}
}
