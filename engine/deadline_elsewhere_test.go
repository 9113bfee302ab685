package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/supervise"
)

// In a batch the guilty message is found by itself.
func TestHangingBatchIsolatesTheGuiltyMessage(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("bulk")
	dir := t.TempDir()
	var mu sync.Mutex
	taken := map[uint64]bool{}
	engine.SinkBatch(p.With(short(engine.Attempts(2))...), "sink", engine.Source(p, "numbers", count(30, 30)),
		func(_ context.Context, _ *struct{}, batch []engine.Message[uint64]) error {
			for _, m := range batch {
				if m.Value == 13 {
					h.hang()
					return nil
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range batch {
				taken[m.Value] = true
			}
			return nil
		})
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.DeadLetters != 1 || s.In != 30 || s.Abandoned < 2 || s.Abandoned > 3 || len(taken) != 29 {
		t.Errorf("%d taken, %+v", len(taken), s)
	}
	if letters := lettersIn(t, dir, "bulk"); len(letters) != 1 || letters[0].Offset != 13 || letters[0].Reason != dlq.ReasonDeadline || len(letters[0].Attempts) != 2 {
		t.Errorf("%+v", letters)
	}
}

// What is no message has a deadline too, and is tried again.
func TestHangingElsewhere(t *testing.T) {
	t.Parallel()
	type hooks = engine.Hooks[int, engine.None]
	take := func(_ context.Context, n *int, _ engine.Message[uint64]) error { *n++; return nil }
	for call, declare := range map[string]func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()){
		"start": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				Start: func(_ context.Context, n *int, _ engine.Emit[engine.None]) error { hang(); return nil }})
		},
		"commit": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				BeforeCommit: func(context.Context, *int) error { hang(); return nil }})
		},
		"end": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				End: func(_ context.Context, _ *int, _ engine.Emit[engine.None]) error { hang(); return nil }})
		},
		"timer:0": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			ticked := make(chan struct{})
			engine.Sink(p, "stage", in, func(ctx context.Context, n *int, m engine.Message[uint64]) error {
				select {
				case <-ticked:
					return take(ctx, n, m)
				default:
					return engine.Snooze(time.Millisecond)
				}
			}, hooks{Recover: asked.recover}, engine.Every(time.Millisecond, func(ctx context.Context, _ *int, _ time.Time, _ engine.Emit[engine.None]) error {
				attempt := engine.Attempt(ctx)
				hang()
				if attempt == 2 {
					close(ticked)
				}
				return nil
			}))
		},
	} {
		t.Run(strings.Trim(call, ":"), func(t *testing.T) {
			t.Parallel()
			h := newHangs(t)
			p := engine.New("elsewhere")
			asked := &faults[int]{}
			declare(p.With(short()...), engine.Source(p, "numbers", count(30, 1)), asked, func() {
				if h.calls.Load() == 0 {
					h.hang()
					return
				}
				h.release() // beside the call that takes its place
			})
			dir := t.TempDir()
			status := run(t, p, dir)
			seen := asked.all()
			if len(seen) != 1 || seen[0].Call != call || seen[0].Message != nil || !seen[0].Abandoned || seen[0].Attempt != 1 || seen[0].Reason != supervise.Unhealthy {
				t.Errorf("%+v", seen)
			}
			if s := stageStatus(t, status, "stage"); s.Abandoned != 1 || s.Epoch != 2 || s.DeadLetters != 0 || s.In != 30 {
				t.Errorf("%+v", s)
			}
			if n := committedState[int](t, dir, "stage")[""]; n != 30 {
				t.Errorf("the state counts %d", n)
			}
		})
	}
}

// A source that hangs goes on from its last commit; what the old call emits
// goes nowhere.
func TestHangingSource(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("source")
	asked := &faults[Place]{}
	returned := make(chan struct{}, 1)
	numbers := engine.Source(p.With(short()...), "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 10 && engine.Attempt(ctx) == 1 {
			h.hang()
			emit(4711)
			at.Next = 4711
			returned <- struct{}{}
			return nil
		}
		if at.Next == 20 {
			h.release()
			<-returned
		}
		return count(40, 1)(ctx, at, emit)
	}, engine.Hooks[Place, uint64]{Recover: asked.recover})
	got := collect[uint64](t)
	engine.Sink(p, "sink", numbers, got.sink)
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "numbers"); s.Abandoned != 1 || s.Epoch != 2 || s.Out != 40 {
		t.Errorf("%+v", s)
	}
	if seen := asked.all(); len(seen) != 1 || seen[0].Call != "step:10" || !seen[0].Abandoned {
		t.Errorf("%+v", seen)
	}
	if values := got.all(); len(values) != 40 || values[39] != 39 || slices.Contains(values, 4711) {
		t.Errorf("%v", values)
	}
	if at := committedState[Place](t, dir, "numbers")[""]; at.Next != 40 {
		t.Errorf("the source is at %d", at.Next)
	}
}

// The recovery function gets the key at hand, and every attempt its number.
func TestHangingKeyedStage(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("keyed")
	asked := &faults[uint64]{answer: func(f engine.Fault[uint64]) engine.Recovery[uint64] {
		if f.Attempt == 2 {
			return f.RestartWith(1000 + f.State)
		}
		return f.Restart()
	}}
	keyed := engine.KeyBy(engine.Source(p, "numbers", count(30, 1)), func(v uint64) string { return string(rune('a' + v%3)) })
	engine.Sink(p.With(short()...), "sink", keyed, func(_ context.Context, n *uint64, m engine.Message[uint64]) error {
		*n++
		if m.Value == 16 && m.Attempt < 3 {
			h.hang()
			*n = 4711
		}
		return nil
	}, engine.Hooks[uint64, engine.None]{Recover: asked.recover})
	dir := t.TempDir()
	run(t, p, dir)
	h.release()
	seen := asked.all()
	if len(seen) != 2 {
		t.Fatalf("%+v", seen)
	}
	for k, f := range seen {
		if f.Message == nil || f.Message.ID != "keyed.numbers:16" || f.Message.Key != "b" || !f.Abandoned || f.Attempt != k+1 || f.Message.Value != nil {
			t.Errorf("fault %d: %+v", k, f)
		}
	}
	if seen[1].State != 5 {
		t.Errorf("the state of the key was %d", seen[1].State)
	}
	if states := committedState[uint64](t, dir, "sink"); states["a"] != 10 || states["b"] != 1010 || states["c"] != 10 {
		t.Errorf("states %v", states)
	}
}

func TestIgnoredHangIsDropped(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("ignored")
	asked := &faults[struct{}]{answer: func(f engine.Fault[struct{}]) engine.Recovery[struct{}] { return f.Ignore() }}
	got := collect[uint64](t)
	engine.Sink(p.With(short()...), "sink", engine.Source(p, "numbers", count(20, 1)), func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 10 {
			h.hang()
			return nil
		}
		return skipping(got, 10)(ctx, s, m)
	}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "sink"); s.Dropped != 1 || s.DeadLetters != 0 || len(got.all()) != 19 || h.calls.Load() != 1 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
}

func TestTwoStagesHangAtOnce(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("two")
	numbers := engine.Source(p, "numbers", count(40, 1))
	first, second := collect[uint64](t), collect[uint64](t)
	for name, got := range map[string]*collected[uint64]{"first": first, "second": second} {
		engine.Sink(p.With(short()...), name, numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Value == 20 && m.Attempt == 1 {
				h.hang()
				return nil
			}
			return got.sink(ctx, s, m)
		})
	}
	status := run(t, p, t.TempDir())
	for _, name := range []string{"first", "second"} {
		if s := stageStatus(t, status, name); s.Abandoned != 1 || s.Epoch != 2 || s.In != 40 || s.DeadLetters != 0 {
			t.Errorf("%+v", s)
		}
	}
	if len(first.all()) != 40 || len(second.all()) != 40 {
		t.Errorf("%d and %d values", len(first.all()), len(second.all()))
	}
}

// Who still hangs at the end is named, with the group.
func TestHangingAtShutdownIsNamed(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("stubborn")
	back := p.Group("back", engine.Group{})
	inside := make(chan struct{})
	engine.Sink(back.With(engine.StopTimeout(10*time.Millisecond), fast), "sink", engine.Source(p, "numbers", count(10, 1)),
		func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 5 {
				close(inside)
				h.hang()
			}
			return nil
		})
	config := testConfig(t, t.TempDir())
	config.DrainTimeout = time.Millisecond
	b := runBeside(t, p, config)
	await(t, "the hang", inside)
	b.stop()
	err := b.end()
	var left *supervise.AbandonedError
	if !errors.As(err, &left) || !slices.Equal(left.Children, []string{"back/sink"}) {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "sink"); s.Abandoned != 1 {
		t.Errorf("%+v", s)
	}
}

// In a group that restarts together the siblings of an abandoned stage restart
// with it.
func TestHangingInAOneForAllGroup(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("together")
	group := p.Group("group", engine.Group{Strategy: supervise.OneForAll})
	numbers := engine.Source(p, "numbers", count(40, 1))
	same := engine.Stage(group.With(short()...), "same", engine.On(numbers, func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		*n++
		emit(m.Value)
		return nil
	}))
	got := collect[uint64](t)
	engine.Sink(group.With(short()...), "sink", same, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 20 && m.Attempt == 1 {
			h.hang()
			return nil
		}
		return got.sink(ctx, s, m)
	})
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.Abandoned != 1 || s.Epoch != 2 || s.Restarts != 1 {
		t.Errorf("sink: %+v", s)
	}
	if s := stageStatus(t, status, "same"); s.Abandoned != 0 || s.Epoch != 1 || s.Out != 40 {
		t.Errorf("same: %+v", s)
	}
	if s := stageStatus(t, status, "numbers"); s.Starts != 1 || len(got.all()) != 40 {
		t.Errorf("%d values, numbers: %+v", len(got.all()), s)
	}
	if n := committedState[int](t, dir, "same")[""]; n != 40 {
		t.Errorf("the state counts %d", n)
	}
}
