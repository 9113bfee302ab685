package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
)

// Whatever way a message function ends, only that message is affected.
func TestEveryWayToFailIsContained(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error":            func() error { return errors.New("no") },
		"panic":            func() error { panic("no") },
		"panic with error": func() error { panic(io.ErrUnexpectedEOF) },
		"panic(nil)":       func() error { panic(nil) }, //nolint:govet // that is the case
		"Goexit":           func() error { runtime.Goexit(); return nil },
		"nil map":          func() error { writeTo(nil); return nil },
		"index":            func() error { var s []int; return fmt.Errorf("%d", s[len(name())]) },
		"wrapped EOF":      func() error { return fmt.Errorf("read: %w", io.EOF) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("contain")
			numbers := engine.Source(p, "numbers", count(60, 4))
			out := engine.Stage(p.With(fast), "worker", engine.On(numbers,
				func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					*n++
					emit(m.Value)
					if m.Value == 31 {
						return fail()
					}
					return nil
				}))
			got := collect[uint64](t)
			engine.Sink(p, "sink", out, got.sink)
			dir := t.TempDir()
			status := run(t, p, dir)
			if s := stageStatus(t, status, "worker"); s.DeadLetters != 1 || s.Panics+s.Errors != 3 || len(got.all()) != 59 {
				t.Errorf("%d values, %+v", len(got.all()), s)
			}
			if s := stageStatus(t, status, "sink"); s.Starts != 1 {
				t.Errorf("the sink was started %d times", s.Starts)
			}
			if n := committedState[int](t, dir, "worker")[""]; n != 59 {
				t.Errorf("the state counts %d", n)
			}
		})
	}
}

func name() string { return "seven77" }

func writeTo(m map[string]int) { m["a"] = 1 }

// A commit that fails for its own reasons must not use up the attempts of a
// message that failed before, nor make it forget them.
func TestFailingCommitBlamesNoMessage(t *testing.T) {
	t.Parallel()
	for _, failFrom := range []int{1, 2} { // commits fail after this try of the message
		t.Run(fmt.Sprint("after try ", failFrom), func(t *testing.T) {
			t.Parallel()
			p := engine.New("commit")
			numbers := engine.Source(p, "numbers", count(100, 10))
			got := collect[uint64](t)
			commitFailures := 0
			failing := false
			var tries []int
			engine.Sink(p.With(fast), "sink", numbers,
				func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
					if m.Value == 50 {
						tries = append(tries, m.Attempt)
						failing = m.Attempt >= failFrom
						if m.Attempt == 1 {
							return errors.New("once")
						}
					}
					return got.sink(ctx, s, m)
				},
				engine.Hooks[struct{}, engine.None]{BeforeCommit: func(context.Context, *struct{}) error {
					if failing && commitFailures < 5 {
						commitFailures++
						return errors.New("disk full")
					}
					return nil
				}})
			status := run(t, p, t.TempDir())
			if s := stageStatus(t, status, "sink"); s.DeadLetters != 0 || s.Errors != 6 || len(got.all()) != 100 {
				t.Errorf("%d values, %+v", len(got.all()), s)
			}
			for _, try := range tries[1:] {
				if try != 2 {
					t.Errorf("tries %v", tries)
				}
			}
		})
	}
}

func TestKeyThatCannotBeKeptIsRejected(t *testing.T) {
	t.Parallel()
	p := engine.New("longkey")
	numbers := engine.Source(p, "numbers", count(10, 10))
	engine.Sink(p, "sink", engine.KeyBy(numbers, func(v uint64) string {
		if v == 4 {
			return strings.Repeat("k", 70_000)
		}
		return "k"
	}), func(_ context.Context, n *int, _ engine.Message[uint64]) error { *n++; return nil })
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.DeadLetters != 1 || s.Restarts != 0 {
		t.Errorf("%+v", s)
	}
	if states := committedState[int](t, dir, "sink"); states["k"] != 9 {
		t.Errorf("states %v", states)
	}
}

func TestFatalStopsThePipelineAndItResumes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	wire := func(broken bool) *engine.Pipeline {
		p := engine.New("fatal")
		numbers := engine.Source(p, "numbers", count(100, 1))
		engine.Sink(p, "sink", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if broken && m.Value == 60 {
				return engine.Fatal(errors.New("the printer is on fire"))
			}
			return got.sink(ctx, s, m)
		})
		return p
	}
	err := runBounded(t, wire(true), testConfig(t, dir))
	if err == nil || !strings.Contains(err.Error(), "sink: the printer is on fire") {
		t.Fatalf("error %v", err)
	}
	run(t, wire(false), dir)
	if len(got.all()) != 100 {
		t.Errorf("%d values", len(got.all()))
	}
}

// While one stage fails over and over, the others keep committing.
func TestFailureStaysInItsStage(t *testing.T) {
	t.Parallel()
	p := engine.New("isolation")
	numbers := engine.Source(p, "numbers", count(1<<40, 10)).WithCapacity(engine.Capacity{Messages: 5000})
	var sound atomic.Uint64
	ctx, stop := bounded(t)
	defer stop()
	engine.Sink(p, "sound", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error {
		sound.Add(1)
		return nil
	})
	before := uint64(0)
	steps := 0
	engine.Sink(p.With(fast, engine.Attempts(2)), "broken", numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		if m.Value%500 == 499 {
			if now := sound.Load(); now > before {
				before, steps = now, steps+1
			}
			if steps == 10 {
				stop()
			}
			panic("broken")
		}
		return nil
	})
	if err := p.Run(ctx, testConfig(t, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	status := p.Status()
	if s := stageStatus(t, status, "sound"); s.Starts != 1 || s.In < 10 {
		t.Errorf("sound: %+v", s)
	}
	if s := stageStatus(t, status, "broken"); s.Panics < 10 {
		t.Errorf("broken: %+v", s)
	}
}

// A timer's next due time is committed: it neither repeats nor forgets.
func TestTimerSurvivesRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	type ticks struct {
		N     int
		First time.Time
	}
	const interval = 50 * time.Millisecond
	for round := range 3 {
		p := engine.New("ticking")
		ctx, stop := bounded(t)
		quiet := engine.Source(p, "quiet", func(ctx context.Context, _ *struct{}, _ engine.Emit[uint64]) error {
			<-ctx.Done()
			return ctx.Err()
		})
		engine.Sink(p, "ticker", quiet, ignore[ticks, uint64],
			engine.Every(interval, func(_ context.Context, s *ticks, now time.Time, _ engine.Emit[engine.None]) error {
				if s.N++; s.N == 1 {
					s.First = now
				}
				if beats := int(now.Sub(s.First)/interval) + 2; s.N > beats {
					t.Errorf("round %d: tick %d after %v", round, s.N, now.Sub(s.First))
				}
				if s.N%3 == 0 {
					stop()
				}
				return nil
			}))
		if err := p.Run(ctx, testConfig(t, dir)); err != nil {
			t.Fatal(err)
		}
		stop()
	}
	if s := committedState[ticks](t, dir, "ticker")[""]; s.N < 9 {
		t.Errorf("%d ticks", s.N)
	}
}

// A function that ignores its context does not keep the process from ending,
// and is named.
func TestStageThatWouldNotStopIsNamed(t *testing.T) {
	t.Parallel()
	p := engine.New("stubborn")
	release := make(chan struct{})
	ctx, stop := bounded(t)
	returned := make(chan struct{})
	numbers := engine.Source(p, "numbers", count(10, 1))
	engine.Sink(p, "stubborn", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error {
		stop()
		<-release
		close(returned)
		return errors.New("too late")
	})
	config := testConfig(t, t.TempDir())
	config.DrainTimeout = time.Millisecond
	err := p.Run(ctx, config)
	if err == nil || !strings.Contains(err.Error(), "stubborn") {
		t.Errorf("error %v", err)
	}
	close(release)
	<-returned
}
