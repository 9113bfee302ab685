package engine_test

import (
	"context"
	"errors"
	"testing"

	"penstock/engine"
	"penstock/engine/observe"
)

func TestPeek(t *testing.T) {
	t.Parallel()
	p := engine.New("peek")
	end := make(chan struct{})
	odd := engine.Branch[string](p, "odd")
	numbers := engine.Source(p, "numbers", countUntil(100, end))
	kept := engine.Stage(p.With(engine.Branches(odd)), "stage", engine.On(numbers,
		func(ctx context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			emit(m.Value, engine.WithKey("k"))
			if m.Value%2 == 1 {
				odd.Emit(ctx, "odd")
			}
			return nil
		}))
	engine.Sink(p, "sink", kept, ignore[struct{}, uint64])
	engine.Sink(p, "odds", &odd.Stream, func(context.Context, *struct{}, engine.Message[string]) error { return engine.Hold })
	if _, err := p.Peek(t.Context(), "stage", 1); err == nil {
		t.Error("before the run")
	}
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("sink", "has all", func(s observe.StageStatus) bool { return s.In == 100 })
	list, err := p.Peek(t.Context(), "stage/odd", 3)
	if err != nil || len(list) != 3 || list[2].Offset != 49 || string(list[2].Value) != `"odd"` {
		t.Errorf("%+v, %v", list, err)
	}
	list, err = p.Peek(t.Context(), "stage", 1000)
	if err != nil || len(list) == 0 || len(list) > 100 {
		t.Fatalf("%d, %v", len(list), err)
	}
	if last := list[len(list)-1]; last.Offset != 99 || last.Key != "k" || string(last.Value) != "99" || last.Bytes == 0 || last.Time.IsZero() {
		t.Errorf("%+v", last)
	}
	if _, err := p.Peek(t.Context(), "nobody", 1); !errors.Is(err, engine.ErrNoState) {
		t.Errorf("%v", err)
	}
	b.stop()
	if err := b.end(); err != nil {
		t.Error(err)
	}
}
