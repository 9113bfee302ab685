package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/patient"
)

// The wait is shown and logged, with its reason, and its end as well.
func TestUnavailableIsTold(t *testing.T) {
	t.Parallel()
	for readiness, want := range map[string]string{"": observe.Degraded, observe.NotReady: observe.NotReady} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			a := &away{where: "source", left: -1, told: wrappedUnavailable}
			log := &logged{}
			config := testConfig(t, t.TempDir())
			config.Logger, config.UnavailableReadiness = log.logger(), readiness
			b := runBeside(t, awayPipeline[plainCount](t, a, collect[int](t), fast), config)
			b.until("numbers", "shows the wait", func(s observe.StageStatus) bool {
				return slices.ContainsFunc(s.Waits, func(w observe.Wait) bool {
					return w.For == observe.WaitUnavailable && w.Readiness == want && strings.Contains(w.Detail, errDown.Error())
				})
			})
			patient.Within(t, "the event", func() bool { return b.told("numbers", observe.WaitsLong) > 0 })
			a.mu.Lock()
			a.left = 0
			a.mu.Unlock()
			if s := stageStatus(t, b.complete(), "numbers"); len(s.Waits) > 0 {
				t.Errorf("it still waits: %+v", s.Waits)
			}
			if text := log.String(); strings.Count(text, "the stage waits: the service that it calls is unavailable") != 1 ||
				strings.Count(text, "the service that the stage calls is available again") != 1 {
				t.Errorf("log:\n%s", text)
			}
		})
	}
}

// An end hook of a stage without keys has nothing behind its colon.
func TestAnEndHookThatIsAwayIsNamed(t *testing.T) {
	t.Parallel()
	a := &away{where: "end", left: -1, told: wrappedUnavailable}
	log := &logged{}
	config := testConfig(t, t.TempDir())
	config.Logger = log.logger()
	b := runBeside(t, awayPipeline[plainCount](t, a, collect[int](t), fast), config)
	b.until("worker", "shows the wait", func(s observe.StageStatus) bool {
		return slices.ContainsFunc(s.Waits, func(w observe.Wait) bool {
			return w.For == observe.WaitUnavailable && strings.HasPrefix(w.Detail, "end: ") && !strings.HasPrefix(w.Detail, "end::")
		})
	})
	a.mu.Lock()
	a.left = 0
	a.mu.Unlock()
	b.complete()
	if text := log.String(); !strings.Contains(text, " call=end at=end error=") {
		t.Errorf("log:\n%s", text)
	}
}

// What is put around the answer counts.
func TestAnswerAroundUnavailable(t *testing.T) {
	t.Parallel()
	p := engine.New("around")
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(3, 3)), func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		if m.Value == 1 {
			return engine.Reject(engine.Unavailable(errDown))
		}
		return nil
	})
	if s := stageStatus(t, run(t, p, t.TempDir()), "sink"); s.DeadLetters != 1 {
		t.Errorf("%+v", s)
	}
	q := engine.New("fatal")
	engine.Sink(q, "sink", engine.Source(q, "numbers", count(3, 3)), func(context.Context, *struct{}, engine.Message[uint64]) error {
		return engine.Fatal(engine.Unavailable(errDown))
	})
	if err := runBounded(t, q, testConfig(t, t.TempDir())); !errors.Is(err, errDown) {
		t.Errorf("run: %v", err)
	}
}

// A health check that cannot ask finds the stage degraded, and restarts nothing.
func TestUnavailableHealth(t *testing.T) {
	t.Parallel()
	for name, probe := range map[string]func(context.Context) supervise.Health{
		"answer": func(context.Context) supervise.Health { return engine.HealthOf(wrappedUnavailable()) },
		"panic":  func(context.Context) supervise.Health { panic(engine.Unavailable(errDown)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := make(chan struct{})
			p := engine.New("health")
			check := engine.HealthChecks(supervise.Check{Interval: time.Millisecond, Threshold: 1, Probe: probe})
			engine.Sink(p.With(check), "sink", engine.Source(p, "numbers", countUntil(1, end)),
				func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
			b := runBeside(t, p, testConfig(t, t.TempDir()))
			b.until("sink", "is degraded", func(s observe.StageStatus) bool {
				return strings.HasPrefix(s.Health, "degraded: unavailable") || strings.HasPrefix(s.Health, "degraded: ask")
			})
			close(end)
			if s := stageStatus(t, b.complete(), "sink"); s.Starts != 1 || s.Unhealthy > 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestUnavailableReadinessIsChecked(t *testing.T) {
	t.Parallel()
	config := testConfig(t, t.TempDir())
	config.UnavailableReadiness = "perhaps"
	p := engine.New("choice")
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)), func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
	if err := p.Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), "observe.Degraded") {
		t.Errorf("run: %v", err)
	}
}
