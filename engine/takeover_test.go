package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// A function may run another pipeline. When that one is taken over, its error is one of the function: this pipeline was
// not taken over.
func TestAnotherPipelineThatWasTakenOver(t *testing.T) {
	t.Parallel()
	inner := fmt.Errorf("the inner pipeline: %w", &engine.FencedError{Stage: "worker", OwnerEpoch: 2, Epoch: 1})
	for name, answer := range map[string]error{"error": inner, "fatal": engine.Fatal(inner)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("outer")
			numbers := engine.Source(p, "numbers", count(20, 1))
			engine.Sink(p.With(fast, engine.Attempts(2)), "worker", numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
				if m.Value == 7 {
					return answer
				}
				return nil
			})
			config := testConfig(t, t.TempDir())
			config.OnEvent = func(e supervise.Event) {
				if e.Kind == observe.TakenOver {
					t.Errorf("a stage that nobody took over: %v", e.Err)
				}
			}
			err := runBounded(t, p, config)
			if name == "error" && (err != nil || stageStatus(t, p.Status(), "worker").DeadLetters != 1) {
				t.Errorf("run: %v, %+v", err, p.Status())
			}
			var fenced *engine.FencedError
			if name == "fatal" && (!errors.Is(err, inner) || !errors.As(err, &fenced)) {
				t.Errorf("run: %v", err)
			}
		})
	}
}
