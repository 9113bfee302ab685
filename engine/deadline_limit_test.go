package engine_test

import (
	"context"
	"testing"
	"time"

	"penstock/engine"
)

// Messages that take too long are bounded by their attempts, not by the restart
// limit of their stage.
func TestDeadlinesOfMessagesCountTowardNoLimit(t *testing.T) {
	t.Parallel()
	p := engine.New("slow")
	numbers := engine.Source(p, "numbers", count(50, 10))
	slow := p.With(fast, engine.Attempts(2), engine.RestartLimit(3, time.Hour), engine.Deadline(30*time.Millisecond))
	got := collect[uint64](t)
	out := engine.Stage(slow, "slow", engine.On(numbers,
		func(ctx context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if m.Value%10 == 5 {
				<-ctx.Done()
				return ctx.Err()
			}
			emit(m.Value)
			return nil
		}))
	engine.Sink(p, "sink", out, got.sink)
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "slow"); s.DeadLetters != 5 || s.Unhealthy < 10 || len(got.all()) != 45 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
}
