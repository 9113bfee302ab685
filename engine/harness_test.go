package engine_test

import (
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/inspect"
	"penstock/engine/observe"
	"penstock/internal/testing/leak"
	"penstock/internal/testing/patient"
	"penstock/internal/testing/seen"
)

func TestMain(m *testing.M) { leak.Main(m, leak.Refused()...) }

// fast makes restarts immediate enough for tests.
var fast = enginetest.FastRestarts()

func testConfig(t *testing.T, dir string) engine.Config {
	t.Helper()
	return quiet(dir)
}

// The harness that tests of other packages share.
var (
	quiet    = patient.Config
	bounded  = patient.Bounded
	copyLive = patient.CopyLive
)

// runBounded runs a pipeline that ends by itself.
func runBounded(t *testing.T, p *engine.Pipeline, config engine.Config) error {
	t.Helper()
	ctx, stop := bounded(t)
	defer stop()
	return p.Run(ctx, config)
}

func run(t *testing.T, p *engine.Pipeline, dir string) observe.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, testConfig(t, dir)); err != nil {
		t.Fatalf("run: %v", err)
	}
	status := p.Status()
	if !status.Completed {
		t.Fatalf("the run ended and is not complete: %+v", status)
	}
	return status
}

var stageStatus = enginetest.Stage

// Place is how far a counting source has come.
type Place struct{ Next uint64 }

// count emits 0 to n-1, step values a call.
func count(n, step uint64) engine.SourceFunc[Place, uint64] {
	return func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
		for range step {
			if at.Next == n {
				return io.EOF
			}
			emit(at.Next)
			at.Next++
		}
		return nil
	}
}

// collected is what a sink saw.
type collected[T comparable] struct {
	t      *testing.T
	values *seen.Values[T]
}

func collect[T comparable](t *testing.T) *collected[T] {
	return &collected[T]{t: t, values: seen.New[T](t)}
}

func (c *collected[T]) sink(_ context.Context, _ *struct{}, m engine.Message[T]) error {
	c.values.Add(m.Offset, m.Value)
	return nil
}

func (c *collected[T]) all() []T { return c.values.All() }

// committedState reads a stage's state from a directory that is not in use.
func committedState[S any](t *testing.T, dir, stage string) (states map[string]S) {
	t.Helper()
	lookInto(t, dir, func(inspector *inspect.Inspector) { states = inspectedState[S](t, inspector, stage) })
	return states
}

// lookInto looks into a directory once. A look copies what its server needs: one can answer several questions.
func lookInto(t *testing.T, dir string, look func(*inspect.Inspector)) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := inspector.Close(); err != nil {
			t.Error(err)
		}
	}()
	look(inspector)
}

func inspectedState[S any](t *testing.T, inspector *inspect.Inspector, stage string) map[string]S {
	t.Helper()
	states := map[string]S{}
	err := inspector.State(t.Context(), stage, func(key string, data json.RawMessage) error {
		var state S
		states[key] = state
		if err := json.Unmarshal(data, &state); err != nil {
			return err
		}
		states[key] = state
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return states
}
