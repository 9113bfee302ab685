package engine_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

func TestUnhealthyStageIsRestarted(t *testing.T) {
	t.Parallel()
	p := engine.New("health")
	end := make(chan struct{})
	var starts atomic.Int64
	var once sync.Once
	asked := &faults[struct{}]{}
	check := supervise.Check{Name: "cache", Interval: time.Millisecond, Threshold: 2, Probe: func(context.Context) supervise.Health {
		switch {
		case starts.Load() == 2:
			once.Do(func() { close(end) })
		case starts.Load() == 1 && len(asked.all()) == 0:
			return supervise.Unwell("cache lost")
		}
		return supervise.Well()
	}}
	engine.Sink(p.With(fast, engine.HealthChecks(check)), "sink", engine.Source(p, "numbers", countUntil(10, end)), ignore[struct{}, uint64],
		engine.Hooks[struct{}, engine.None]{
			Recover: asked.recover,
			Start:   func(context.Context, *struct{}, engine.Emit[engine.None]) error { starts.Add(1); return nil },
		})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "sink"); s.Unhealthy != 1 || s.Restarts != 1 || s.Abandoned != 0 || s.In != 10 || s.DeadLetters != 0 || s.Health != "healthy" {
		t.Errorf("%+v", s)
	}
	seen := asked.all()
	if len(seen) != 1 || seen[0].Reason != supervise.Unhealthy || seen[0].Message != nil || !strings.Contains(seen[0].Err.Error(), `check "cache" failed 2 times: cache lost`) {
		t.Errorf("%+v", seen)
	}
}

func TestDegradedStageIsNotRestarted(t *testing.T) {
	t.Parallel()
	p := engine.New("degraded")
	end := make(chan struct{})
	probes := 0
	check := supervise.Check{Interval: time.Millisecond, Threshold: 1, Probe: func(context.Context) supervise.Health {
		if probes++; probes == 50 {
			close(end)
		}
		return supervise.Degraded("cache cold")
	}}
	engine.Sink(p.With(engine.HealthChecks(check)), "sink", engine.Source(p, "numbers", countUntil(10, end)), ignore[struct{}, uint64])
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("sink", "shows its health", func(s observe.StageStatus) bool { return s.Health == "degraded: cache cold" })
	if s := stageStatus(t, b.complete(), "sink"); s.Starts != 1 || s.Unhealthy != 0 || b.told("sink", supervise.HealthChanged) != 1 {
		t.Errorf("%+v", s)
	}
}

// A probe that fails itself is a failure of the check.
func TestProbeThatFails(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		fail    func(h *hangs)
		timeout time.Duration
		says    string
	}{
		"panic": {func(*hangs) { panic("probe broken") }, time.Minute, "probe broken"},
		"hang":  {func(h *hangs) { h.hang() }, 5 * time.Millisecond, "no answer within 5ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHangs(t)
			p := engine.New("probe")
			end := make(chan struct{})
			var starts atomic.Int64
			asked := &faults[struct{}]{}
			check := supervise.Check{Interval: time.Millisecond, Timeout: way.timeout, Threshold: 1, Probe: func(context.Context) supervise.Health {
				if starts.Load() == 1 {
					way.fail(h)
				}
				return supervise.Well()
			}}
			engine.Sink(p.With(fast, engine.HealthChecks(check)), "sink", engine.Source(p, "numbers", countUntil(10, end)), ignore[struct{}, uint64],
				engine.Hooks[struct{}, engine.None]{
					Recover: asked.recover,
					Start: func(context.Context, *struct{}, engine.Emit[engine.None]) error {
						if starts.Add(1) == 2 {
							close(end)
						}
						return nil
					},
				})
			status := run(t, p, t.TempDir())
			seen := asked.all()
			if s := stageStatus(t, status, "sink"); s.Unhealthy < 1 || s.In != 10 || len(seen) < 1 || !strings.Contains(seen[0].Err.Error(), way.says) {
				t.Errorf("%+v, %+v", seen, s)
			}
		})
	}
}
