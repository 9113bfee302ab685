package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// Bounds of a run, unless the test's own deadline comes first.
const (
	runFor   = time.Minute
	drainFor = 5 * time.Second
)

// FastRestarts is an option that lets a stage that failed start again almost at once, without jitter, and one that
// waits for what is unavailable ask again as soon:
//
//	engine.Stage(p.With(enginetest.FastRestarts()), "worker", …)
func FastRestarts() engine.Option {
	backoff := supervise.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond, Jitter: -1}
	return engine.Options(engine.RestartBackoff(backoff), engine.UnavailableBackoff(backoff))
}

// Run runs the pipeline to its end and returns what its stages did. It fails the test at once when Run of the pipeline
// returns an error, and when the pipeline has not come to its end after a minute, or shortly before the test's own
// deadline.
//
// The data directory is temporary and what the engine logs goes to the test's output; both, and everything else in the
// configuration, can be changed by the configure functions.
func Run(t testing.TB, p *engine.Pipeline, configure ...func(*engine.Config)) observe.Status {
	t.Helper()
	log := &testLog{t: t}
	defer log.close()
	config := engine.Config{
		DrainTimeout: drainFor,
		Logger:       slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	for _, change := range configure {
		change(&config)
	}
	if config.Dir == "" && config.Memory == nil {
		config.Dir = t.TempDir()
	}
	bound := timeLeft(t)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatalf("run pipeline %s: %v", p.Name(), err)
	}
	status := p.Status()
	if !status.Completed {
		t.Fatalf("pipeline %s did not end within %v: %s", p.Name(), bound.Round(time.Millisecond), unfinished(status))
	}
	return status
}

// In is for Run: use this data directory, to resume or to look at it later.
func In(dir string) func(*engine.Config) {
	return func(c *engine.Config) { c.Dir = dir }
}

// timeLeft leaves time to drain and to tell before the test's deadline.
func timeLeft(t testing.TB) time.Duration {
	bound := runFor
	if limited, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := limited.Deadline(); ok {
			bound = min(bound, time.Until(deadline)-2*drainFor)
		}
	}
	return max(bound, time.Second)
}

func unfinished(status observe.Status) string {
	var list []string
	for _, stage := range status.Stages {
		if !stage.Ended {
			list = append(list, fmt.Sprintf("%s (in %d, out %d, lag %d, restarts %d)", stage.Name, stage.In, stage.Out, stage.Lag, stage.Restarts))
		}
	}
	return "not ended: " + strings.Join(list, ", ")
}

// Stage returns what one stage did, and fails the test at once when there is none of that name.
func Stage(t testing.TB, status observe.Status, name string) observe.StageStatus {
	t.Helper()
	for _, stage := range status.Stages {
		if stage.Name == name {
			return stage
		}
	}
	t.Fatalf("pipeline %s has no stage %q", status.Pipeline, name)
	return observe.StageStatus{}
}

// State reads the committed state of a stage from the data directory of a run that is over: by key for a keyed stage,
// else under the key "". The state is one that is kept as JSON, a string, a number or a boolean. What cannot be read
// fails the test at once.
func State[S any](t testing.TB, dir, stage string) map[string]S {
	t.Helper()
	log := &testLog{t: t}
	defer log.close()
	inspector, err := inspect.Open(t.Context(), inspect.Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatalf("inspect %s: %v", dir, err)
	}
	defer func() {
		if err := inspector.Close(); err != nil {
			t.Errorf("inspect %s: %v", dir, err)
		}
	}()
	states := map[string]S{}
	if err := inspector.State(t.Context(), stage, decodeInto(states)); err != nil {
		t.Fatalf("state of %s: %v", stage, err)
	}
	return states
}

func decodeInto[S any](states map[string]S) func(key string, data json.RawMessage) error {
	return func(key string, data json.RawMessage) error {
		var state S
		if err := json.Unmarshal(data, &state); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
		states[key] = state
		return nil
	}
}

// testLog writes to the test's output for as long as that may be done.
type testLog struct {
	mu     sync.Mutex
	t      testing.TB
	closed bool
}

// Write writes a line of the log.
func (l *testLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return len(line), nil
	}
	return l.t.Output().Write(line)
}

func (l *testLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}
