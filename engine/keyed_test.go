package engine_test

import (
	"context"
	"fmt"
	"testing"

	"penstock/engine"
)

func TestKeyedStateAndEndHook(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]engine.Option{"by number": engine.KeysInMemory(64), "by memory": engine.KeyMemory(5000), "all": engine.KeyMemory(1 << 20)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testKeyedStateAndEndHook(t, option)
		})
	}
}

func testKeyedStateAndEndHook(t *testing.T, option engine.Option) {
	const n, keys = 20_000, 997
	p := engine.New("keyed")
	numbers := engine.Source(p, "numbers", count(n, 50))
	counts := engine.Stage(p.With(option), "count",
		engine.On(engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprintf("%03d", v%keys) }),
			func(_ context.Context, sum *uint64, m engine.Message[uint64], _ engine.Emit[string]) error {
				*sum += m.Value
				return nil
			}),
		engine.Hooks[uint64, string]{End: func(ctx context.Context, sum *uint64, emit engine.Emit[string]) error {
			emit(fmt.Sprintf("%s=%d", engine.CurrentKey(ctx), *sum))
			return nil
		}})
	got := collect[string](t)
	engine.Sink(p, "sink", counts, got.sink)
	dir := t.TempDir()
	run(t, p, dir)
	want := map[uint64]uint64{}
	for i := uint64(0); i < n; i++ {
		want[i%keys] += i
	}
	values := got.all()
	if len(values) != keys {
		t.Fatalf("%d keys, want %d", len(values), keys)
	}
	for k, v := range values {
		if v != fmt.Sprintf("%03d=%d", k, want[uint64(k)]) {
			t.Fatalf("key %d: %s, want %d", k, v, want[uint64(k)])
		}
	}
	if states := committedState[uint64](t, dir, "count"); len(states) != keys || states["007"] != want[7] {
		t.Errorf("%d states, 007 is %d, want %d", len(states), states["007"], want[7])
	}
}

func TestForgetKeyDropsTheState(t *testing.T) {
	t.Parallel()
	p := engine.New("forget")
	numbers := engine.Source(p, "numbers", count(100, 1))
	engine.Sink(p, "sink", engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v % 4) }),
		func(ctx context.Context, seen *uint64, m engine.Message[uint64]) error {
			*seen++
			if m.Value%4 == 1 && m.Value > 90 {
				engine.ForgetKey(ctx)
			}
			return nil
		})
	dir := t.TempDir()
	run(t, p, dir)
	if states := committedState[uint64](t, dir, "sink"); len(states) != 3 || states["0"] != 25 {
		t.Errorf("states: %v", states)
	}
}
