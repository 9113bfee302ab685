package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"penstock/engine"
	"penstock/engine/inspect"
)

func TestOnReadyAndOnStopEncloseTheStages(t *testing.T) {
	t.Parallel()
	var steps []string
	p := engine.New("ready")
	engine.Discard(engine.Source(p, "source", count(3, 1), engine.Hooks[Place, uint64]{
		Start: func(context.Context, *Place, engine.Emit[uint64]) error {
			steps = append(steps, "start")
			return nil
		},
	}))
	config := testConfig(t, t.TempDir())
	config.OnReady = func() error {
		if s := p.Status(); len(s.Stages) != 1 || s.Stages[0].Out != 0 {
			t.Errorf("status when ready: %+v", s)
		}
		steps = append(steps, "ready")
		return nil
	}
	config.OnStop = func() {
		err := p.State("source", func(_ string, state json.RawMessage) error {
			steps = append(steps, "stop "+string(state))
			return nil
		})
		if err != nil {
			t.Errorf("state at the stop: %v", err)
		}
		if _, err := inspect.Open(t.Context(), testConfig(t, config.Dir).ToInspect()); !errors.Is(err, engine.ErrLocked) {
			t.Errorf("the directory at the stop: %v", err)
		}
	}
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	if want := []string{"ready", "start", `stop {"Next":3}`}; !slices.Equal(steps, want) {
		t.Errorf("%q, want %q", steps, want)
	}
}

func TestOnReadyMayRefuse(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	p := engine.New("ready")
	engine.Discard(engine.Source(p, "source", count(3, 1)))
	config := testConfig(t, t.TempDir())
	config.OnReady = func() error { return refused }
	config.OnStop = func() { t.Error("OnStop is called") }
	if err := runBounded(t, p, config); !errors.Is(err, refused) {
		t.Errorf("run: %v", err)
	}
	if s := p.Status(); s.Stages[0].Out != 0 || s.Stages[0].Starts != 0 {
		t.Errorf("status: %+v", s)
	}
}
