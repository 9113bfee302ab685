package engine_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

func TestRecoveryIsToldAboutTheMessage(t *testing.T) {
	t.Parallel()
	p := engine.New("told")
	numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 10 {
			return io.EOF
		}
		emit(at.Next, engine.WithKey("k"+string(rune('0'+at.Next))))
		at.Next++
		return nil
	})
	asked := &faults[int]{answer: func(f engine.Fault[int]) engine.Recovery[int] { return f.Restart() }}
	engine.Sink(p.With(fast), "sink", numbers, func(_ context.Context, n *int, m engine.Message[uint64]) error {
		*n++
		if m.Value == 5 && m.Attempt == 1 {
			panic("no five")
		}
		if m.Value == 5 && m.Attempt == 2 {
			return io.ErrUnexpectedEOF
		}
		return nil
	}, engine.Hooks[int, engine.None]{Recover: asked.recover})
	status := run(t, p, t.TempDir())
	seen := asked.all()
	if len(seen) != 2 {
		t.Fatalf("asked %d times", len(seen))
	}
	first, second := seen[0], seen[1]
	for k, f := range seen {
		m := f.Message
		if f.Stage != "sink" || f.Call != "message numbers.0:5" || f.Attempt != k+1 || f.Total != uint64(k) || f.Restarts != k || f.Abandoned || m == nil {
			t.Fatalf("fault %d: %+v", k, f)
		}
		if m.ID != "told.numbers:5" || m.Stream != "numbers" || m.Offset != 5 || m.Key != "k5" || len(m.Value) != 8 || time.Since(m.Time) > time.Hour {
			t.Errorf("message %+v", m)
		}
	}
	if first.Reason != supervise.Panic || first.Panic != "no five" || !strings.Contains(string(first.Stack), "recovery_test.go") || first.State > 5 {
		t.Errorf("the panic: %+v, stack %s", first, first.Stack)
	}
	if second.Reason != supervise.Error || !errors.Is(second.Err, io.ErrUnexpectedEOF) || second.Panic != nil || second.Stack != nil || second.State != 5 {
		t.Errorf("the error: %+v", second)
	}
	if s := stageStatus(t, status, "sink"); s.Restarts != 2 || s.In != 10 || s.DeadLetters != 0 {
		t.Errorf("%+v", s)
	}
}

// notes is an error that cannot be compared, and wrapped one that only looks as if it could.
type (
	notes   []string
	wrapped struct{ any }
)

func (notes) Error() string   { return "notes" }
func (wrapped) Error() string { return "wrapped" }

// The error of a fault may be of any type: the recovery function is told its message.
func TestRecoveryIsToldTheMessageOfAnyError(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"slice": notes{"a"}, "struct": wrapped{notes{"a"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("told")
			numbers := engine.Source(p, "numbers", count(10, 1))
			var asked faults[int]
			engine.Sink(p.With(fast), "sink", numbers, func(_ context.Context, _ *int, m engine.Message[uint64]) error {
				if m.Value == 5 && m.Attempt == 1 {
					return failure
				}
				return nil
			}, engine.Hooks[int, engine.None]{Recover: asked.recover})
			run(t, p, t.TempDir())
			seen := asked.all()
			if len(seen) != 1 || seen[0].Call != "message numbers.0:5" || seen[0].Message == nil || seen[0].Attempt != 1 {
				t.Errorf("told were %+v", seen)
			}
		})
	}
}

// What is no message is named too, and nothing in the fault is made up.
func TestRecoveryIsToldAboutOtherCalls(t *testing.T) {
	t.Parallel()
	once := func() func() error {
		failed := false
		return func() error {
			if failed {
				return nil
			}
			failed = true
			return errors.New("once")
		}
	}
	type hooks = engine.Hooks[int, engine.None]
	take := func(context.Context, *int, engine.Message[uint64]) error { return nil }
	for call, declare := range map[string]func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], fail func() error){
		"start": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], fail func() error) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				Start: func(context.Context, *int, engine.Emit[engine.None]) error { return fail() }})
		},
		"commit": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], fail func() error) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				BeforeCommit: func(context.Context, *int) error { return fail() }})
		},
		"end": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], fail func() error) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				End: func(context.Context, *int, engine.Emit[engine.None]) error { return fail() }})
		},
		"timer:0": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], fail func() error) {
			ticked := false
			engine.Sink(p, "stage", in, func(context.Context, *int, engine.Message[uint64]) error {
				if !ticked {
					return engine.Snooze(time.Millisecond)
				}
				return nil
			}, hooks{Recover: asked.recover}, engine.Every(time.Millisecond, func(context.Context, *int, time.Time, engine.Emit[engine.None]) error {
				err := fail()
				ticked = err == nil
				return err
			}))
		},
	} {
		t.Run(strings.Trim(call, ":"), func(t *testing.T) {
			t.Parallel()
			p := engine.New("told")
			asked := &faults[int]{}
			declare(p.With(fast), engine.Source(p, "numbers", count(3, 1)), asked, once())
			run(t, p, t.TempDir())
			seen := asked.all()
			if len(seen) != 1 || seen[0].Call != call || seen[0].Message != nil || seen[0].Attempt != 1 || seen[0].Reason != supervise.Error {
				t.Errorf("%+v", seen)
			}
		})
	}
	t.Run("step", func(t *testing.T) {
		t.Parallel()
		p := engine.New("told")
		asked := &faults[Place]{answer: func(f engine.Fault[Place]) engine.Recovery[Place] { return f.Ignore() }}
		numbers := count(10, 1)
		fail := once()
		out := engine.Source(p.With(fast), "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			if at.Next == 4 {
				if err := fail(); err != nil {
					return err
				}
			}
			return numbers(ctx, at, emit)
		}, engine.Hooks[Place, uint64]{Recover: asked.recover})
		got := collect[uint64](t)
		engine.Sink(p, "sink", out, got.sink)
		run(t, p, t.TempDir())
		seen := asked.all()
		if len(seen) != 1 || seen[0].Call != "step:4" || seen[0].Message != nil || seen[0].State.Next != 4 {
			t.Errorf("%+v", seen)
		}
		if len(got.all()) != 10 { // Ignore tries a step again
			t.Errorf("%v", got.all())
		}
	})
}

// A whole batch has no message; each of its messages alone has.
func TestRecoveryIsToldAboutBatches(t *testing.T) {
	t.Parallel()
	p := engine.New("batches")
	asked := &faults[int]{answer: func(f engine.Fault[int]) engine.Recovery[int] { return f.Ignore() }}
	numbers := engine.Source(p, "numbers", count(20, 20))
	var got []uint64
	engine.SinkBatch(p.With(fast), "sink", numbers, func(_ context.Context, n *int, batch []engine.Message[uint64]) error {
		for _, m := range batch {
			if m.Value == 7 {
				return errors.New("seven")
			}
		}
		for _, m := range batch {
			*n++
			if k := len(got); k > 0 && m.Value <= got[k-1] {
				got = got[:slices.Index(got, m.Value)]
			}
			got = append(got, m.Value)
		}
		return nil
	}, engine.Hooks[int, engine.None]{Recover: asked.recover})
	dir := t.TempDir()
	status := run(t, p, dir)
	seen := asked.all()
	if len(seen) != 2 || seen[0].Message != nil || seen[1].Message == nil || seen[1].Message.Offset != 7 || seen[1].State > 7 {
		t.Errorf("%+v", seen)
	}
	if s := stageStatus(t, status, "sink"); s.Dropped != 1 || s.DeadLetters != 0 || len(got) != 19 {
		t.Errorf("%v, %+v", got, s)
	}
	if n := committedState[int](t, dir, "sink")[""]; n != 19 {
		t.Errorf("the state counts %d", n)
	}
}

// A recovery function that is replaced from inside serves as a snapshot.
func TestSetRecoveryReplacesTheFunction(t *testing.T) {
	t.Parallel()
	p := engine.New("snapshot")
	old := &faults[uint64]{answer: func(f engine.Fault[uint64]) engine.Recovery[uint64] { return f.Escalate() }}
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(20, 1)),
		func(ctx context.Context, sum *uint64, m engine.Message[uint64]) error {
			if m.Value == 10 && m.Attempt == 1 {
				engine.SetRecovery(ctx, func(_ context.Context, f engine.Fault[uint64]) engine.Recovery[uint64] {
					return f.RestartWith(1_000_000)
				})
				panic("after the snapshot")
			}
			*sum++
			return nil
		}, engine.Hooks[uint64, engine.None]{Recover: old.recover})
	dir := t.TempDir()
	status := run(t, p, dir)
	sum := committedState[uint64](t, dir, "sink")[""]
	if s := stageStatus(t, status, "sink"); len(old.all()) != 0 || s.Panics != 1 || sum < 1_000_010 || sum > 1_000_020 {
		t.Errorf("the state is %d, %+v", sum, s)
	}
}

func TestSetRecoveryOfAnotherTypePanics(t *testing.T) {
	t.Parallel()
	p := engine.New("wrong")
	var text any
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)), func(ctx context.Context, _ *uint64, _ engine.Message[uint64]) error {
		defer func() { text = recover() }()
		engine.SetRecovery(ctx, func(_ context.Context, f engine.Fault[string]) engine.Recovery[string] { return f.Restart() })
		return nil
	})
	run(t, p, t.TempDir())
	if text != "engine.SetRecovery: stage sink has no state of type string" {
		t.Errorf("panic %v", text)
	}
	defer func() {
		if text := recover(); text != "engine.SetRecovery: outside a call of a stage" {
			t.Errorf("panic %v", text)
		}
	}()
	engine.SetRecovery(t.Context(), func(_ context.Context, f engine.Fault[string]) engine.Recovery[string] { return f.Restart() })
}

func TestRecoveryFunctionThatFails(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var hung sync.WaitGroup
	t.Cleanup(func() { close(release); hung.Wait() })
	for name, way := range map[string]struct {
		fail func()
		says string
	}{
		"panic":  {func() { panic("worse") }, "worse"},
		"goexit": {runtime.Goexit, "runtime.Goexit"},
		"hang":   {func() { defer hung.Done(); <-release }, "did not return within 20ms"},
	} {
		if name == "hang" {
			hung.Add(1)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			got := collect[uint64](t)
			wire := func(broken bool) *engine.Pipeline {
				p := engine.New("worse")
				engine.Sink(p.With(fast, engine.RecoveryTimeout(20*time.Millisecond)), "sink", engine.Source(p, "numbers", count(30, 1)),
					func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
						if broken && m.Value == 10 {
							return io.ErrUnexpectedEOF
						}
						return got.sink(ctx, s, m)
					}, engine.Hooks[struct{}, engine.None]{Recover: func(context.Context, engine.Fault[struct{}]) engine.Recovery[struct{}] {
						way.fail()
						return engine.Recovery[struct{}]{}
					}})
				return p
			}
			b := runBeside(t, wire(true), testConfig(t, dir))
			err := b.end()
			if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), way.says) {
				t.Errorf("error %v", err)
			}
			if s := stageStatus(t, b.p.Status(), "sink"); s.RecoveryFailures != 1 || b.told("sink", supervise.RecoveryFailed) != 1 {
				t.Errorf("%+v", s)
			}
			if s := stageStatus(t, run(t, wire(false), dir), "sink"); s.RecoveryFailures != 1 || len(got.all()) != 30 {
				t.Errorf("%d values, %+v", len(got.all()), s)
			}
		})
	}
}

func TestTwoRecoverHooksAreAMistake(t *testing.T) {
	t.Parallel()
	p := engine.New("two")
	asked := &faults[int]{}
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)), ignore[int, uint64],
		engine.Hooks[int, engine.None]{Recover: asked.recover}, engine.Hooks[int, engine.None]{Recover: asked.recover})
	if err := p.Check(); !errors.Is(err, engine.ErrWiring) || !strings.Contains(err.Error(), "two Recover hooks") {
		t.Errorf("error %v", err)
	}
}
