package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/supervise"
)

// besides is a pipeline that runs beside its test, and the events it told.
type besides struct {
	t    *testing.T
	p    *engine.Pipeline
	stop context.CancelFunc
	done chan error

	mu     sync.Mutex
	events []supervise.Event
}

// runBeside starts a pipeline that is stopped at the end of the test, if it
// has not ended before.
func runBeside(t *testing.T, p *engine.Pipeline, config engine.Config) *besides {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	b := &besides{t: t, p: p, stop: stop, done: make(chan error, 1)}
	config.OnEvent = b.note
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.done <- p.Run(ctx, config)
	}()
	t.Cleanup(func() { stop(); <-ended })
	return b
}

func (b *besides) note(e supervise.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
}

// told counts the events of a stage or group.
func (b *besides) told(child string, kind supervise.EventKind) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if e.Child == child && e.Kind == kind {
			n++
		}
	}
	return n
}

// end waits until Run returns.
func (b *besides) end() error {
	b.t.Helper()
	select {
	case err := <-b.done:
		return err
	case <-time.After(time.Minute):
		b.t.Fatalf("the run does not end: %+v", b.p.Status())
		return nil
	}
}

// complete waits until Run returns and everything has ended.
func (b *besides) complete() engine.Status {
	b.t.Helper()
	if err := b.end(); err != nil {
		b.t.Fatalf("run: %v", err)
	}
	status := b.p.Status()
	if !status.Completed {
		b.t.Fatalf("the run is not complete: %+v", status)
	}
	return status
}

// until waits for something that the stage's status shows.
func (b *besides) until(stage, what string, is func(engine.StageStatus) bool) {
	b.t.Helper()
	defer func() {
		if b.t.Failed() {
			b.t.Logf("%+v", b.p.Status())
		}
	}()
	within(b.t, stage+" "+what, func() bool {
		for _, s := range b.p.Status().Stages {
			if s.Name == stage {
				return is(s)
			}
		}
		return false
	})
}

// within waits for something that nobody signals.
func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not seen within a minute: %s", what)
		}
	}
}

// await waits for a signal.
func await(t *testing.T, what string, signal <-chan struct{}) {
	t.Helper()
	select {
	case <-signal:
	case <-time.After(time.Minute):
		t.Fatalf("not within a minute: %s", what)
	}
}

// countUntil emits 0 to n-1 and ends when it is told to.
func countUntil(n uint64, end <-chan struct{}) engine.SourceFunc[Place, uint64] {
	return func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next < n {
			emit(at.Next)
			at.Next++
			return nil
		}
		select {
		case <-end:
			return io.EOF
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lettersIn reads the dead letters in a directory that is not in use.
func lettersIn(t *testing.T, dir, pipeline string) (letters []dlq.Letter) {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{Dir: dir + "/jetstream", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	queue, found, err := dlq.Lookup(t.Context(), b.JetStream(), pipeline)
	if err != nil || !found {
		t.Fatalf("dead letters of %s: found %v, %v", pipeline, found, err)
	}
	if err := queue.Each(t.Context(), func(l dlq.Letter) error { letters = append(letters, l); return nil }); err != nil {
		t.Fatal(err)
	}
	return letters
}

// faults keeps what a recovery function was told, and answers.
type faults[S any] struct {
	mu     sync.Mutex
	seen   []engine.Fault[S]
	answer func(f engine.Fault[S]) engine.Recovery[S]
}

func (r *faults[S]) recover(_ context.Context, f engine.Fault[S]) engine.Recovery[S] {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, f)
	if r.answer == nil {
		return engine.Recovery[S]{}
	}
	return r.answer(f)
}

func (r *faults[S]) all() []engine.Fault[S] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

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
		"end:": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], fail func() error) {
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
	ctx, stop := context.WithCancel(t.Context())
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
