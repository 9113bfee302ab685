package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"penstock/engine"
)

// That a function ended its stage is part of the commit: neither a failing
// End hook nor a new process makes the stage go on.
func TestEndByEOFSurvivesFaultsAndRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var taken []uint64
	ends := 0
	wire := func(fatal bool) *engine.Pipeline {
		p := engine.New("ending")
		endless := engine.Source(p, "endless", count(1<<60, 10))
		out := engine.Stage(p.With(fast), "worker",
			engine.On(endless, func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[string]) error {
				*n++
				if m.Value > 30 {
					taken = append(taken, m.Value)
				}
				if m.Value == 30 {
					return io.EOF
				}
				return nil
			}),
			engine.Hooks[int, string]{End: func(ctx context.Context, n *int, emit engine.Emit[string]) error {
				ends++
				switch {
				case engine.Attempt(ctx) < 3:
					panic("not yet")
				case fatal:
					return engine.Fatal(errors.New("out of paper"))
				}
				emit(fmt.Sprint(*n, " taken"))
				return nil
			}})
		got := collect[string](t)
		engine.Sink(p, "sink", out, func(ctx context.Context, s *struct{}, m engine.Message[string]) error {
			if m.Value != "31 taken" {
				t.Errorf("the end says %q", m.Value)
			}
			return got.sink(ctx, s, m)
		})
		return p
	}
	if err := runBounded(t, wire(true), testConfig(t, dir)); err == nil {
		t.Fatal("no error")
	}
	status := run(t, wire(false), dir)
	if s := stageStatus(t, status, "sink"); s.In != 1 {
		t.Errorf("sink: %+v", s)
	}
	if len(taken) > 0 || ends < 4 {
		t.Errorf("after its end the stage took %v; the hook was called %d times", taken, ends)
	}
}

// The empty key is a key like any other, also for the End hook of an
// interrupted run.
func TestEndHookPassesEveryKeyOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[string](t)
	for round := range 4 {
		p := engine.New("keys")
		numbers := engine.Source(p, "numbers", count(30_000, 100))
		sums := engine.Stage(p, "sums",
			engine.On(engine.KeyBy(numbers, func(v uint64) string {
				if v%10_000 == 0 {
					return ""
				}
				return fmt.Sprint(v % 10_000)
			}), func(_ context.Context, n *int, _ engine.Message[uint64], _ engine.Emit[string]) error {
				*n++
				return nil
			}),
			engine.Hooks[int, string]{End: func(ctx context.Context, n *int, emit engine.Emit[string]) error {
				if round == 0 && engine.CurrentKey(ctx) == "0" || round == 1 && engine.CurrentKey(ctx) == "5" || round == 2 && engine.CurrentKey(ctx) == "7777" {
					return engine.Fatal(errors.New("stop here"))
				}
				emit(fmt.Sprint(engine.CurrentKey(ctx), ":", *n))
				return nil
			}})
		engine.Sink(p, "sink", sums, got.sink)
		err := runBounded(t, p, testConfig(t, dir))
		if commits := stageStatus(t, p.Status(), "sums").Commits; commits > 500 {
			t.Errorf("%d commits for 10,000 keys", commits)
		}
		if err == nil && p.Status().Completed {
			break
		}
	}
	values := got.all()
	if len(values) != 10_000 || values[0] != ":3" {
		t.Fatalf("%d values", len(values))
	}
	seen := map[string]bool{}
	for _, v := range values {
		if seen[v] || v[len(v)-2:] != ":3" {
			t.Fatalf("%q", v)
		}
		seen[v] = true
	}
}
