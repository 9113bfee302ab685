package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

func TestRestartOfATemporaryStage(t *testing.T) {
	t.Parallel()
	p := engine.New("temporary")
	asked := &faults[struct{}]{answer: func(f engine.Fault[struct{}]) engine.Recovery[struct{}] { return f.Restart() }}
	got := collect[uint64](t)
	engine.Sink(p.With(fast, engine.RestartPolicy(supervise.Temporary)), "sink", engine.Source(p, "numbers", count(10, 1)),
		func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Value == 5 && m.Attempt == 1 {
				return errors.New("once")
			}
			return got.sink(ctx, s, m)
		}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
	if s := stageStatus(t, run(t, p, t.TempDir()), "sink"); s.Restarts != 1 || len(got.all()) != 10 {
		t.Errorf("%+v", s)
	}
}

func TestRestartWithAnotherState(t *testing.T) {
	t.Parallel()
	p := engine.New("replace")
	asked := &faults[uint64]{answer: func(f engine.Fault[uint64]) engine.Recovery[uint64] { return f.RestartWith(1000 + f.State) }}
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(20, 1)),
		func(_ context.Context, n *uint64, m engine.Message[uint64]) error {
			*n++
			if m.Value == 11 && m.Attempt == 1 {
				panic("once")
			}
			return nil
		}, engine.Hooks[uint64, engine.None]{Recover: asked.recover})
	dir := t.TempDir()
	run(t, p, dir)
	if n := committedState[uint64](t, dir, "sink")[""]; n != 1020 {
		t.Errorf("the state is %d", n)
	}
}

func TestRestartWithAnotherStateOfTheKey(t *testing.T) {
	t.Parallel()
	p := engine.New("replacekey")
	asked := &faults[uint64]{answer: func(f engine.Fault[uint64]) engine.Recovery[uint64] { return f.RestartWith(1000 + f.State) }}
	keyed := engine.KeyBy(engine.Source(p, "numbers", count(30, 1)), func(v uint64) string { return string(rune('a' + v%3)) })
	engine.Sink(p.With(fast), "sink", keyed, func(_ context.Context, n *uint64, m engine.Message[uint64]) error {
		*n++
		if m.Value == 16 && m.Attempt == 1 { // b's sixth
			panic("once")
		}
		return nil
	}, engine.Hooks[uint64, engine.None]{Recover: asked.recover})
	dir := t.TempDir()
	run(t, p, dir)
	if states := committedState[uint64](t, dir, "sink"); states["a"] != 10 || states["b"] != 1010 || states["c"] != 10 {
		t.Errorf("states %v", states)
	}
	if seen := asked.all(); len(seen) != 1 || seen[0].State > 5 || seen[0].Message.Key != "b" {
		t.Errorf("%+v", seen)
	}
}

// The other state is committed before the message that failed is tried again,
// for everybody to see, and outlives the process.
func TestAnotherStateIsCommittedAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := engine.New("atonce")
	asked := &faults[uint64]{answer: func(f engine.Fault[uint64]) engine.Recovery[uint64] { return f.RestartWith(4711) }}
	ctx, stop := bounded(t)
	defer stop()
	var seen string
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", countUntil(1, nil)),
		func(call context.Context, n *uint64, m engine.Message[uint64]) error {
			if *n++; m.Attempt == 1 {
				return errors.New("once")
			}
			if err := p.State("sink", func(_ string, state json.RawMessage) error { seen = string(state); return nil }); err != nil {
				t.Error(err)
			}
			stop()
			<-call.Done()
			return call.Err()
		}, engine.Hooks[uint64, engine.None]{Recover: asked.recover})
	config := testConfig(t, dir)
	config.DrainTimeout = time.Millisecond
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	if n := committedState[uint64](t, dir, "sink")[""]; n != 4711 || seen != "4711" {
		t.Errorf("the state is %d, State said %s", n, seen)
	}
}

// What comes right after the restart may fail: the other state stays.
func TestAnotherStateOutlivesTheNextFault(t *testing.T) {
	t.Parallel()
	p := engine.New("outlive")
	end := make(chan struct{})
	asked := &faults[uint64]{}
	asked.answer = func(f engine.Fault[uint64]) engine.Recovery[uint64] {
		if len(asked.seen) == 1 {
			return f.RestartWith(4711)
		}
		return engine.Recovery[uint64]{}
	}
	var first, second int
	type none = engine.Emit[engine.None]
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", countUntil(0, end)), ignore[uint64, uint64],
		engine.Every(time.Millisecond, func(context.Context, *uint64, time.Time, none) error {
			if first == 0 {
				return nil
			}
			if second++; second == 1 {
				return errors.New("right after the restart")
			}
			if second == 2 {
				close(end)
			}
			return nil
		}),
		engine.Every(time.Millisecond, func(context.Context, *uint64, time.Time, none) error {
			if first++; first == 1 {
				return errors.New("once")
			}
			return nil
		}),
		engine.Hooks[uint64, engine.None]{Recover: asked.recover})
	dir := t.TempDir()
	run(t, p, dir)
	if seen := asked.all(); len(seen) != 2 || seen[0].Call != "timer:1" || seen[1].Call != "timer:0" || seen[1].State != 4711 {
		t.Errorf("%+v", seen)
	}
	if n := committedState[uint64](t, dir, "sink")[""]; n != 4711 {
		t.Errorf("the state is %d", n)
	}
}

// A message that is ignored is gone: it is no dead letter, and no limit counts it.
func TestIgnoredMessagesAreDropped(t *testing.T) {
	t.Parallel()
	p := engine.New("ignore")
	asked := &faults[int]{answer: func(f engine.Fault[int]) engine.Recovery[int] { return f.Ignore() }}
	out := engine.Stage(p.With(fast, engine.Attempts(engine.Unlimited), engine.RestartLimit(1, time.Hour)), "stage",
		engine.On(engine.Source(p, "numbers", count(100, 1)), func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*n++
			emit(m.Value)
			if m.Value%10 == 9 {
				panic("nine")
			}
			return nil
		}), engine.Hooks[int, uint64]{Recover: asked.recover})
	got := collect[uint64](t)
	engine.Sink(p, "sink", out, got.sink)
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "stage"); s.Dropped != 10 || s.DeadLetters != 0 || s.Panics != 10 || s.In != 100 || s.Out != 90 {
		t.Errorf("%+v", s)
	}
	if values := got.all(); len(values) != 90 || slices.ContainsFunc(values, func(v uint64) bool { return v%10 == 9 }) {
		t.Errorf("%v", values)
	}
	if n := committedState[int](t, dir, "stage")[""]; n != 90 {
		t.Errorf("the state counts %d", n)
	}
	if letters := lettersIn(t, dir, "ignore"); len(letters) != 0 {
		t.Errorf("%d dead letters", len(letters))
	}
}

// Ignoring a timer's tick says nothing about a message that failed before.
func TestIgnoredTimerDropsNoMessage(t *testing.T) {
	t.Parallel()
	p := engine.New("tick")
	asked := &faults[int]{answer: func(f engine.Fault[int]) engine.Recovery[int] {
		if f.Message == nil {
			return f.Ignore()
		}
		return f.Restart()
	}}
	var attempts []int
	failures := 0
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(1, 1)),
		func(ctx context.Context, _ *int, m engine.Message[uint64]) error {
			attempts = append(attempts, m.Attempt)
			if m.Attempt == 1 {
				<-time.After(5 * time.Millisecond) // so that the timer is due at the restart
				return errors.New("once")
			}
			return nil
		},
		engine.Every(time.Millisecond, func(context.Context, *int, time.Time, engine.Emit[engine.None]) error {
			if len(attempts) == 1 && failures == 0 {
				failures++
				return errors.New("the tick too")
			}
			return nil
		}),
		engine.Hooks[int, engine.None]{Recover: asked.recover})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "sink"); s.Dropped != 0 || s.In != 1 || s.Errors != 2 || !slices.Equal(attempts, []int{1, 2}) {
		t.Errorf("attempts %v, %+v", attempts, s)
	}
}

// A one-shot timer that is ignored does not come again.
func TestIgnoredTimerIsLeftOut(t *testing.T) {
	t.Parallel()
	p := engine.New("leftout")
	end := make(chan struct{})
	asked := &faults[int]{answer: func(f engine.Fault[int]) engine.Recovery[int] { return f.Ignore() }}
	calls := 0
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", countUntil(1, end)),
		func(ctx context.Context, _ *int, _ engine.Message[uint64]) error {
			engine.SetTimer(ctx, "broken", time.Now())
			engine.SetTimer(ctx, "after", time.Now().Add(20*time.Millisecond))
			return nil
		},
		engine.OnTimer("broken", func(context.Context, *int, time.Time, engine.Emit[engine.None]) error {
			calls++
			return errors.New("never")
		}),
		engine.OnTimer("after", func(context.Context, *int, time.Time, engine.Emit[engine.None]) error {
			close(end)
			return nil
		}),
		engine.Hooks[int, engine.None]{Recover: asked.recover})
	status := run(t, p, t.TempDir())
	// Once more if the call that set it was not committed the first time.
	if s := stageStatus(t, status, "sink"); calls > 2 || s.Dropped != 0 || s.Errors != uint64(calls) {
		t.Errorf("%d calls, %+v", calls, s)
	}
}

// A stage that stopped keeps everything for the next run.
func TestStopDecisionKeepsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	wire := func(broken bool) *engine.Pipeline {
		p := engine.New("stop")
		asked := &faults[struct{}]{answer: func(f engine.Fault[struct{}]) engine.Recovery[struct{}] { return f.Stop() }}
		engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(50, 1)),
			func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
				if broken && m.Value == 20 {
					return io.ErrUnexpectedEOF
				}
				return got.sink(ctx, s, m)
			}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
		return p
	}
	err := runBeside(t, wire(true), testConfig(t, dir)).end()
	var given *engine.GivenUpError
	if !errors.As(err, &given) || !slices.Equal(given.Stages, []string{"sink"}) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error %v", err)
	}
	if len(got.all()) != 20 {
		t.Errorf("%d values before", len(got.all()))
	}
	if s := stageStatus(t, run(t, wire(false), dir), "sink"); len(got.all()) != 50 || s.DeadLetters+s.Dropped != 0 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
}

func TestEscalateStopsThePipeline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	wire := func(broken bool) *engine.Pipeline {
		p := engine.New("escalate")
		asked := &faults[struct{}]{answer: func(f engine.Fault[struct{}]) engine.Recovery[struct{}] { return f.Escalate() }}
		engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(50, 1)),
			func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
				if broken && m.Value == 20 {
					return io.ErrUnexpectedEOF
				}
				return got.sink(ctx, s, m)
			}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
		return p
	}
	err := runBeside(t, wire(true), testConfig(t, dir)).end()
	var up *supervise.EscalatedError
	if !errors.As(err, &up) || up.Child != "sink" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error %v", err)
	}
	run(t, wire(false), dir)
	if len(got.all()) != 50 {
		t.Errorf("%d values", len(got.all()))
	}
}

func TestEscalateRestartsTheGroup(t *testing.T) {
	t.Parallel()
	p := engine.New("escalategroup")
	quick := supervise.Backoff{Initial: time.Millisecond, Max: time.Millisecond, Jitter: -1}
	back := p.Group("back", engine.Group{Backoff: quick})
	asked := &faults[struct{}]{answer: func(f engine.Fault[struct{}]) engine.Recovery[struct{}] { return f.Escalate() }}
	numbers := engine.Source(p, "numbers", count(50, 1))
	same := engine.Stage(back, "same", engine.On(numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		emit(m.Value)
		return nil
	}))
	got := collect[uint64](t)
	engine.Sink(back, "sink", same, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 20 && m.Attempt == 1 {
			return errors.New("once")
		}
		return got.sink(ctx, s, m)
	}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	status := b.complete()
	if b.told("sink", supervise.Escalated) != 1 || b.told("back", supervise.Restarting) != 1 || len(asked.all()) != 1 {
		t.Errorf("the group was restarted %d times", b.told("back", supervise.Restarting))
	}
	if s := stageStatus(t, status, "numbers"); s.Starts != 1 || len(got.all()) != 50 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
}

func TestHandlerRunsBeforeTheRestart(t *testing.T) {
	t.Parallel()
	p := engine.New("handle")
	var handled []string
	mended := false
	asked := &faults[struct{}]{answer: func(f engine.Fault[struct{}]) engine.Recovery[struct{}] {
		return f.Handle(func(ctx context.Context, p *engine.Pipeline, log *slog.Logger) error {
			handled = append(handled, p.Name()+" "+f.Message.ID+" "+stageStatus(t, p.Status(), "sink").State)
			mended = log != nil && ctx.Err() == nil
			return nil
		})
	}}
	got := collect[uint64](t)
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(10, 1)),
		func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Value == 5 && !mended {
				return errors.New("broken")
			}
			return got.sink(ctx, s, m)
		}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
	run(t, p, t.TempDir())
	if !slices.Equal(handled, []string{"handle handle.numbers:5 starting"}) || len(got.all()) != 10 {
		t.Errorf("handled %q, %d values", handled, len(got.all()))
	}
}

func TestHandlerThatFailsIsEscalated(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error": func() error { return io.ErrClosedPipe },
		"panic": func() error { panic(io.ErrClosedPipe) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("handle")
			asked := &faults[struct{}]{}
			asked.answer = func(f engine.Fault[struct{}]) engine.Recovery[struct{}] {
				if len(asked.seen) > 1 {
					return engine.Recovery[struct{}]{} // the handler's own fault
				}
				return f.Handle(func(context.Context, *engine.Pipeline, *slog.Logger) error { return fail() })
			}
			engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(10, 1)),
				func(context.Context, *struct{}, engine.Message[uint64]) error { return errors.New("broken") },
				engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
			err := runBeside(t, p, testConfig(t, t.TempDir())).end()
			var up *supervise.EscalatedError
			if !errors.As(err, &up) || !errors.Is(err, io.ErrClosedPipe) || !strings.Contains(err.Error(), "recovery handler of stage sink") {
				t.Errorf("error %v", err)
			}
		})
	}
}
