package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// runFailing runs a pipeline that must end with an error, which it returns.
func runFailing(t *testing.T, p *engine.Pipeline, dir string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	err := p.Run(ctx, testConfig(t, dir))
	if err == nil || ctx.Err() != nil {
		t.Fatalf("run: %v, context: %v, status: %+v", err, ctx.Err(), p.Status())
	}
	return err
}

// upTo is 0, 1 … n-1: what a collector has when nothing is lost or doubled.
func upTo(n uint64) []uint64 {
	values := make([]uint64, n)
	for i := range values {
		values[i] = uint64(i)
	}
	return values
}

func (c *collected[T]) must(want []T) {
	c.t.Helper()
	if got := c.all(); !slices.Equal(got, want) {
		c.t.Errorf("collected %d values, want %d: %v", len(got), len(want), got[:min(len(got), 100)])
	}
}

// oneByOne makes each message's commit precede the next message.
var oneByOne = engine.Capacity{Messages: 1}

func TestStageThatCrashesAtEveryFifthMessageOfALifeGetsThrough(t *testing.T) {
	t.Parallel()
	p := engine.New("fifth")
	numbers := engine.Source(p, "numbers", count(10, 1)).WithCapacity(oneByOne)
	handled := 0 // in this life
	out := engine.Stage(p.With(fast), "worker",
		engine.On(numbers, func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if handled++; handled == 5 {
				panic("the fifth")
			}
			*n++
			emit(m.Value)
			return nil
		}),
		engine.Hooks[int, uint64]{Start: func(context.Context, *int, engine.Emit[uint64]) error { handled = 0; return nil }})
	got := collect[uint64](t)
	engine.Sink(p, "sink", out, got.sink)
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "worker"); s.Restarts != 2 || s.Panics != 2 || s.Starts != 3 || s.DeadLetters != 0 {
		t.Errorf("worker: %+v", s)
	}
	got.must(upTo(10))
	if n := committedState[int](t, dir, "worker")[""]; n != 10 {
		t.Errorf("the state counts %d", n)
	}
}

// What fails for ever stops at the limit, says why down to the cause, and keeps
// what it had not handled.
func TestRestartLimitStopsThePipelineAndNothingIsLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	wire := func(broken bool) *engine.Pipeline {
		p := engine.New("limit")
		numbers := engine.Source(p, "numbers", count(10, 1)).WithCapacity(oneByOne)
		scope := p.With(fast, engine.Attempts(engine.Unlimited), engine.RestartLimit(3, time.Minute))
		out := engine.Stage(scope, "worker", engine.On(numbers,
			func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				if *n++; broken && *n == 5 {
					panic("the fifth")
				}
				emit(m.Value)
				return nil
			}))
		engine.Sink(p, "sink", out, got.sink)
		return p
	}
	p := wire(true)
	err := runFailing(t, p, dir)
	var limit *supervise.LimitError
	if !errors.As(err, &limit) || limit.Child != "worker" || limit.Limit != (supervise.Limit{Restarts: 3, Window: time.Minute}) {
		t.Errorf("error %v", err)
	}
	var panicked *supervise.PanicError
	if !errors.As(err, &panicked) || panicked.Value != "the fifth" || !strings.Contains(string(panicked.Stack), "supervision_test.go") {
		t.Errorf("the error does not lead to the panic: %v", err)
	}
	if s := stageStatus(t, p.Status(), "worker"); s.Panics != 4 || s.Restarts != 3 || s.In != 4 || s.State != "escalated" {
		t.Errorf("worker: %+v", s)
	}
	run(t, wire(false), dir)
	got.must(upTo(10))
	if n := committedState[int](t, dir, "worker")[""]; n != 10 {
		t.Errorf("the state counts %d", n)
	}
}

func TestPoisonMessagesCountTowardNoRestartLimit(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error":  func() error { return errors.New("poison") },
		"panic":  func() error { panic("poison") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("poison")
			numbers := engine.Source(p, "numbers", count(100, 10))
			got := collect[uint64](t)
			out := engine.Stage(p.With(fast), "worker", engine.On(numbers,
				func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					if m.Value%2 == 1 {
						return fail()
					}
					emit(m.Value / 2)
					return nil
				}))
			engine.Sink(p, "sink", out, got.sink)
			status := run(t, p, t.TempDir())
			if s := stageStatus(t, status, "worker"); s.DeadLetters != 50 || s.Panics+s.Errors != 150 {
				t.Errorf("worker: %+v", s)
			}
			got.must(upTo(50))
		})
	}
}

func TestSourceThatAlwaysPanicsStopsThePipeline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	wire := func(broken bool) *engine.Pipeline {
		p := engine.New("source")
		numbers := engine.Source(p.With(engine.RestartBackoff(supervise.Immediate())), "numbers",
			func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
				if broken && at.Next == 10 {
					emit(999)
					panic("out of numbers")
				}
				return count(20, 1)(ctx, at, emit)
			})
		engine.Sink(p, "sink", numbers, got.sink)
		return p
	}
	p := wire(true)
	err := runFailing(t, p, dir)
	if !strings.Contains(err.Error(), "numbers") || !strings.Contains(err.Error(), "out of numbers") {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "numbers"); s.Restarts != 5 || s.Panics != 6 || s.Out != 10 {
		t.Errorf("numbers: %+v", s)
	}
	run(t, wire(false), dir)
	got.must(upTo(20))
}

// Four workers, each with a branch of its own; one of them fails at every
// message. It gets through, and nobody else is bothered.
func TestWorkerPoolIsSupervisedOneForOne(t *testing.T) {
	t.Parallel()
	p := engine.New("pool")
	numbers := engine.Source(p, "numbers", count(80, 5))
	var lanes [4]*engine.BranchOf[uint64]
	var all []engine.AnyBranch
	for i := range lanes {
		lanes[i] = engine.Branch[uint64](p, fmt.Sprint("lane", i))
		all = append(all, lanes[i])
	}
	engine.Stage(p.With(engine.Branches(all...)), "splitter", engine.On(numbers,
		func(ctx context.Context, _ *struct{}, m engine.Message[uint64], _ engine.Emit[engine.None]) error {
			lanes[m.Value%4].Emit(ctx, m.Value/4)
			return nil
		}))
	pool := p.Group("pool", engine.Group{Strategy: supervise.OneForOne})
	var got [4]*collected[uint64]
	for i := range lanes {
		got[i] = collect[uint64](t)
		engine.Sink(pool.With(fast), fmt.Sprint("worker", i), &lanes[i].Stream,
			func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
				if i == 2 && m.Attempt == 1 {
					panic("not at once")
				}
				return got[i].sink(ctx, s, m)
			})
	}
	status := run(t, p, t.TempDir())
	for i := range lanes {
		got[i].must(upTo(20))
		s := stageStatus(t, status, fmt.Sprint("worker", i))
		if want := map[bool]uint64{true: 21, false: 1}[i == 2]; s.Starts != want || s.DeadLetters != 0 {
			t.Errorf("worker %d: %+v", i, s)
		}
	}
	if s := stageStatus(t, status, "splitter"); s.Starts != 1 {
		t.Errorf("splitter: %+v", s)
	}
}

// A permanent source that answers io.EOF is asked again, until its readers have
// ended or the policy is another one.
func TestPermanentSourceIsStartedAgainAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, readersEnd := range []bool{true, false} {
		t.Run(fmt.Sprint("readers end ", readersEnd), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			got := collect[uint64](t)
			ctx, stop := bounded(t)
			defer stop()
			wire := func(policy supervise.Policy) *engine.Pipeline {
				p := engine.New("permanent")
				scope := p.With(fast, engine.RestartPolicy(policy), engine.RestartLimit(-1, 0))
				numbers := engine.Source(scope, "numbers", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
					if at.Next < 20 {
						emit(at.Next)
						at.Next++
					}
					if at.Next%5 == 0 {
						return io.EOF // with what was emitted
					}
					return nil
				})
				engine.Sink(p, "sink", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
					err := got.sink(ctx, s, m)
					if m.Value == 19 && readersEnd {
						return io.EOF
					}
					if m.Value == 19 {
						stop()
					}
					return err
				})
				return p
			}
			p := wire(supervise.Permanent)
			if err := p.Run(ctx, testConfig(t, dir)); err != nil {
				t.Fatal(err)
			}
			got.must(upTo(20))
			status := p.Status()
			if s := stageStatus(t, status, "numbers"); status.Completed != readersEnd || s.Starts < 4 || s.Errors+s.Panics != 0 {
				t.Errorf("%+v", status)
			}
			if !readersEnd {
				run(t, wire(supervise.Transient), dir)
				got.must(upTo(20))
			}
		})
	}
}
