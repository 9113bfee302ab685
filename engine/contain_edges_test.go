package engine_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// flaky is numbers -> worker -> sink; the worker fails once, at message 7.
func flaky(p *engine.Pipeline, scope engine.Scope, got *collected[uint64], parts ...engine.Part[int, uint64]) {
	numbers := engine.Source(p, "numbers", count(20, 1)).WithCapacity(oneByOne)
	var failed atomic.Bool
	worker := engine.On(numbers, func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		*n++
		emit(m.Value)
		if m.Value == 7 && failed.CompareAndSwap(false, true) {
			return errors.New("once")
		}
		return nil
	})
	engine.Sink(p, "sink", engine.Stage(scope, "worker", append(parts, worker)...), got.sink)
}

// A recovery function that fails cannot be asked what to do about that: the
// failure goes up, with both causes.
func TestTroubleInTheRecoveryFunctionGoesUp(t *testing.T) {
	t.Parallel()
	for way := range waysToFail {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			x := newTrouble("recover", way)
			defer x.release()
			dir := t.TempDir()
			got := collect[uint64](t)
			p := engine.New("recover")
			scope := p.With(fast)
			if x.hangs {
				scope = scope.With(engine.RecoveryTimeout(20 * time.Millisecond))
			}
			flaky(p, scope, got, engine.Hooks[int, uint64]{
				Recover: func(_ context.Context, f engine.Fault[int]) engine.Recovery[int] {
					_ = x.at("recover")
					return f.Restart()
				}})
			err := runFailing(t, p, dir)
			var escalated *supervise.EscalatedError
			if !errors.As(err, &escalated) || escalated.Child != "worker" || !strings.Contains(err.Error(), "once") ||
				!strings.Contains(err.Error(), "recovery function") {
				t.Errorf("error %v", err)
			}
			if s := stageStatus(t, p.Status(), "worker"); s.RecoveryFailures != 1 || s.Starts != 1 {
				t.Errorf("worker: %+v", s)
			}
			if s := stageStatus(t, p.Status(), "sink"); s.Starts != 1 || s.Errors+s.Panics != 0 {
				t.Errorf("sink: %+v", s)
			}
			p = engine.New("recover")
			flaky(p, p.With(fast), got)
			run(t, p, dir)
			got.must(upTo(20))
		})
	}
}

// OnChildEnd is only told: nothing that happens in it changes anything. Its
// group waits for it, and nobody else.
func TestTroubleInOnChildEndIsContained(t *testing.T) {
	t.Parallel()
	for way := range waysToFail {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			x := newTrouble("child end", way)
			defer x.release()
			p := engine.New("childend")
			got, other := collect[uint64](t), collect[uint64](t)
			letters := engine.Source(p, "letters", count(100, 1))
			engine.Sink(p, "other", letters, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
				if m.Value == 99 {
					x.release() // a hang in the group was no hindrance
				}
				return other.sink(ctx, s, m)
			})
			var told []supervise.ChildEnd // by the group's own goroutine
			group := p.Group("group", engine.Group{OnChildEnd: func(e supervise.ChildEnd) {
				told = append(told, e)
				_ = x.at("child end")
			}})
			flaky(p, group.With(fast), got)
			status := run(t, p, t.TempDir())
			got.must(upTo(20))
			other.must(upTo(100))
			if s := stageStatus(t, status, "worker"); s.Starts != 2 || s.DeadLetters != 0 {
				t.Errorf("worker: %+v", s)
			}
			if len(told) != 2 || !told[0].Restarting || told[0].Reason != supervise.Error || told[0].Err == nil ||
				told[1].Restarting || told[1].Reason != supervise.Normal || told[1].Child != "worker" || told[1].Group != "group" {
				t.Errorf("told %+v", told)
			}
		})
	}
}

// A state that cannot be read stops the pipeline at once, and says what to do.
func TestStateThatCannotBeReadStopsThePipeline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	p := engine.New("unreadable")
	broken := unwillingCodec{engine.DefaultCodec[int](), nil, errors.New("gibberish")}
	flaky(p, p.With(fast), got, engine.StateCodec[int, uint64](broken))
	err := runFailing(t, p, dir)
	if text := err.Error(); !strings.Contains(text, "gibberish") || !strings.Contains(text, "worker") || !strings.Contains(text, "fresh directory") {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "worker"); s.Starts != 2 || s.In != 7 {
		t.Errorf("worker: %+v", s)
	}
	p = engine.New("unreadable")
	flaky(p, p.With(fast), got)
	run(t, p, dir)
	got.must(upTo(20))
}

// A state that cannot be written blames no message: the stage restarts until
// its limit.
func TestStateThatCannotBeWrittenReachesTheLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	p := engine.New("unwritable")
	flaky(p, p.With(fast), got, engine.StateCodec[int, uint64](unwillingCodec{engine.DefaultCodec[int](), errors.New("no ink"), nil}))
	err := runFailing(t, p, dir)
	var limit *supervise.LimitError
	if !errors.As(err, &limit) || limit.Child != "worker" || !strings.Contains(err.Error(), "no ink") {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "worker"); s.DeadLetters != 0 || s.In != 0 {
		t.Errorf("worker: %+v", s)
	}
	p = engine.New("unwritable")
	flaky(p, p.With(fast), got)
	run(t, p, dir)
	got.must(upTo(20))
}

type unwillingCodec struct {
	engine.Codec[int]
	write, read error
}

func (c unwillingCodec) Append(dst []byte, n int) ([]byte, error) {
	if c.write != nil {
		return dst, c.write
	}
	return c.Codec.Append(dst, n)
}

func (c unwillingCodec) Decode(data []byte) (int, error) {
	if c.read != nil {
		return 0, c.read
	}
	return c.Codec.Decode(data)
}

// A function that was left behind and returns after all gets no further
// message: those are the new task's.
func TestFunctionLeftBehindIsNotCalledAgain(t *testing.T) {
	t.Parallel()
	p := engine.New("late")
	numbers := engine.Source(p, "numbers", count(100, 100)) // one frame
	got := collect[uint64](t)
	release, returning := make(chan struct{}), make(chan struct{})
	var left atomic.Pointer[int] // the state of the task that is left behind
	scope := p.With(fast, engine.Attempts(1000), engine.Deadline(50*time.Millisecond), engine.StopTimeout(time.Millisecond), engine.RestartLimit(-1, 0))
	engine.Sink(scope, "sink", numbers, func(ctx context.Context, n *int, m engine.Message[uint64]) error {
		switch {
		case left.Load() == n:
			t.Errorf("message %d went to the session that is left behind", m.Value)
		case m.Value == 17 && left.CompareAndSwap(nil, n):
			<-release
			close(returning)
			return nil
		case m.Value == 40:
			<-returning // the late one has had its chance
		}
		return got.sink(ctx, new(struct{}), m)
	})
	config := testConfig(t, t.TempDir())
	config.OnEvent = func(e supervise.Event) {
		if e.Kind == supervise.Restarting && e.Child == "sink" && left.Load() != nil {
			select {
			case <-release:
			default:
				close(release)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	got.must(upTo(100))
	if s := stageStatus(t, p.Status(), "sink"); s.Abandoned == 0 || s.DeadLetters != 0 {
		t.Errorf("sink: %+v", s)
	}
}

// A stage whose function ended its goroutine is as well as ever afterwards: an
// idle one is not taken for one that hangs.
func TestDeadlineAfterGoexit(t *testing.T) {
	t.Parallel()
	p := engine.New("idle")
	const deadline = 200 * time.Millisecond
	idle := make(chan struct{})
	var failed atomic.Bool
	var probes atomic.Int64 // the clock: it is idle for five deadlines
	numbers := engine.Source(p, "numbers", countThenWait(10, idle))
	got := collect[uint64](t)
	scope := p.With(fast, engine.Deadline(deadline), engine.RestartLimit(-1, 0), engine.HealthChecks(supervise.Check{
		Interval: deadline / 10,
		Probe: func(context.Context) supervise.Health {
			if failed.Load() && probes.Add(1) == 50 {
				close(idle)
			}
			return supervise.Well()
		}}))
	engine.Sink(scope, "sink", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 5 && failed.CompareAndSwap(false, true) {
			runtime.Goexit()
		}
		return got.sink(ctx, s, m)
	})
	status := run(t, p, t.TempDir())
	got.must(upTo(10))
	if s := stageStatus(t, status, "sink"); s.Unhealthy > 1 || s.Panics != 1 { // one may be a slow machine's
		t.Errorf("sink: %+v", s)
	}
}

// A function that ends its goroutine leaves the stage like any failure: the
// Stop hook closes what the Start hook opened.
func TestStopHookAfterGoexit(t *testing.T) {
	t.Parallel()
	p := engine.New("stop")
	got := collect[uint64](t)
	open, most := 0, 0
	numbers := engine.Source(p, "numbers", count(20, 1))
	engine.Sink(p.With(fast), "sink", numbers,
		func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Value == 7 && m.Attempt == 1 {
				runtime.Goexit()
			}
			return got.sink(ctx, s, m)
		},
		engine.Hooks[struct{}, engine.None]{
			Start: func(context.Context, *struct{}, engine.Emit[engine.None]) error {
				open++
				most = max(most, open)
				return nil
			},
			Stop: func(context.Context, *struct{}) error { open--; return nil },
		})
	status := run(t, p, t.TempDir())
	got.must(upTo(20))
	if s := stageStatus(t, status, "sink"); s.Starts != 2 || open != 0 || most != 1 {
		t.Errorf("open %d, most %d, %+v", open, most, s)
	}
}
