package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// A plainCount is put back by a copy, a sharedCount is not.
type (
	plainCount  struct{ N int }
	sharedCount struct{ N []int }
)

func (c *plainCount) next() int  { c.N++; return c.N - 1 }
func (c *sharedCount) next() int { c.N = append(c.N, 0); c.N[0]++; return c.N[0] - 1 }

type counter[S any] interface {
	*S
	next() int
}

// away is the other side, which the calls of one function do not reach for a
// while.
type away struct {
	mu    sync.Mutex
	where string
	left  int // calls; negative: all
	calls int
	told  func() error
}

func (a *away) answer(where string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if where != a.where || a.left == 0 {
		return nil
	}
	a.left--
	a.calls++
	return a.told()
}

// ended ends the source, once the timer has found the other side again.
func (a *away) ended(ctx context.Context) error {
	for a.where == "timer" && ctx.Err() == nil {
		a.mu.Lock()
		left := a.left
		a.mu.Unlock()
		if left == 0 {
			break
		}
		runtime.Gosched()
	}
	return io.EOF
}

func wrappedUnavailable() error {
	return fmt.Errorf("ask: %w", engine.Unavailable(errDown))
}

// awayPipeline has every function that a stage can have. Each emits the count in
// its state and counts on, before it asks the other side: so a call that is undone
// only by half leaves a gap in what the sink gets, or a number twice.
func awayPipeline[S any, C counter[S]](t *testing.T, a *away, got *collected[int], options ...engine.Option) *engine.Pipeline {
	p := engine.New("away")
	scope := p.With(options...)
	call := func(where string, s *S, emit engine.Emit[int]) error {
		emit(C(s).next())
		return a.answer(where)
	}
	numbers := engine.Source(scope, "numbers", func(ctx context.Context, s *S, emit engine.Emit[int]) error {
		n := C(s).next()
		if n == 10 {
			return a.ended(ctx)
		}
		emit(n)
		return a.answer("source")
	})
	var failed sync.Once
	handler := engine.On(numbers, func(_ context.Context, s *S, m engine.Message[int], emit engine.Emit[int]) (err error) {
		if m.Value == 3 && a.where == "handler" {
			failed.Do(func() { err = errPoison })
		}
		if answer := call("message", s, emit); err == nil {
			err = answer
		}
		return err
	})
	if a.where == "batch" {
		handler = engine.OnBatch(numbers, func(_ context.Context, s *S, batch []engine.Message[int], emit engine.Emit[int]) error {
			return call("batch", s, emit)
		})
	}
	hooks := engine.Hooks[S, int]{
		Start: func(_ context.Context, s *S, emit engine.Emit[int]) error { return call("start", s, emit) },
		BeforeCommit: func(_ context.Context, s *S) error {
			if err := a.answer("commit"); err != nil {
				C(s).next()
				return err
			}
			return nil
		},
		End:  func(_ context.Context, s *S, emit engine.Emit[int]) error { return call("end", s, emit) },
		Stop: func(context.Context, *S) error { return a.answer("stop") },
	}
	if a.where == "handler" {
		hooks.Recover = func(_ context.Context, f engine.Fault[S]) engine.Recovery[S] {
			return f.Handle(func(context.Context, *engine.Pipeline, *slog.Logger) error { return a.answer("handler") })
		}
	}
	parts := []engine.Part[S, int]{handler, hooks}
	if a.where == "timer" {
		parts = append(parts, engine.Every(time.Millisecond, func(_ context.Context, s *S, _ time.Time, emit engine.Emit[int]) error {
			return call("timer", s, emit)
		}))
	}
	engine.Sink(p, "sink", engine.Stage(scope, "worker", parts...), got.sink)
	return p
}

var awayWheres = []string{"source", "message", "batch", "start", "commit", "end", "timer", "stop", "handler"}

func awayStage(where string) string {
	if where == "source" {
		return "numbers"
	}
	return "worker"
}

func TestUnavailableIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, where := range awayWheres {
		for name, told := range map[string]func() error{
			"returned": wrappedUnavailable,
			"panicked": func() error { panic(engine.Unavailable(errDown)) },
		} {
			t.Run(where+" plain "+name, func(t *testing.T) {
				t.Parallel()
				unavailableIsNoFailure[plainCount](t, &away{where: where, left: 8, told: told})
			})
			t.Run(where+" shared "+name, func(t *testing.T) {
				t.Parallel()
				unavailableIsNoFailure[sharedCount](t, &away{where: where, left: 8, told: told})
			})
		}
	}
}

func unavailableIsNoFailure[S any, C counter[S]](t *testing.T, a *away) {
	got := collect[int](t)
	p := awayPipeline[S, C](t, a, got, fast, engine.Attempts(2), engine.RestartLimit(1, time.Hour))
	s := stageStatus(t, run(t, p, t.TempDir()), awayStage(a.where))
	restarts := uint64(0)
	if a.where == "handler" {
		restarts = 1
	}
	if s.Errors+s.Panics != restarts || s.Starts != 1+restarts || s.FailedAttempts != restarts || s.DeadLetters > 0 {
		t.Errorf("%+v", s)
	}
	if a.where != "stop" && s.Unavailable < 8 {
		t.Errorf("%d calls of %d found nobody", s.Unavailable, a.calls)
	}
	mustCount(t, got.all())
}

// mustCount: nothing is missing, and nothing there twice.
func mustCount(t *testing.T, values []int) {
	t.Helper()
	for k, v := range values {
		if v != k {
			t.Fatalf("a call was undone by half: %v", values)
		}
	}
}

// A stop does not wait for the other side, and nothing is lost by it.
func TestStopWhileUnavailable(t *testing.T) {
	t.Parallel()
	for _, where := range awayWheres {
		if where == "stop" || where == "timer" { // they hold up nothing
			continue
		}
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			stopWhileUnavailable[plainCount](t, where)
		})
	}
}

func stopWhileUnavailable[S any, C counter[S]](t *testing.T, where string) {
	dir := t.TempDir()
	got := collect[int](t)
	hour := engine.UnavailableBackoff(supervise.Fixed(time.Hour))
	a := &away{where: where, left: -1, told: wrappedUnavailable}
	config := testConfig(t, dir)
	config.DrainTimeout = time.Hour
	p := awayPipeline[S, C](t, a, got, hour, engine.RestartBackoff(supervise.Immediate()))
	b := runBeside(t, p, config)
	b.until(awayStage(where), "waits", func(s observe.StageStatus) bool { return s.Unavailable > 0 })
	if err := p.RestartStage(t.Context(), awayStage(where)); err != nil { // an operator's order comes through
		t.Fatal(err)
	}
	b.until(awayStage(where), "waits again", func(s observe.StageStatus) bool { return s.Unavailable > 1 || where == "handler" })
	b.stop()
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	a.left = 0
	run(t, awayPipeline[S, C](t, a, got), dir)
	mustCount(t, got.all())
}

// The end hook of a keyed stage goes on behind the keys that are done.
func TestUnavailableAtTheEndOfKeys(t *testing.T) {
	t.Parallel()
	p := engine.New("keys")
	numbers := engine.KeyBy(engine.Source(p, "numbers", count(30, 3)), func(v uint64) string { return fmt.Sprint(v % 10) })
	asked := map[string]int{}
	out := engine.Stage(p.With(fast, engine.RestartLimit(1, time.Hour)), "worker",
		engine.On(numbers, func(_ context.Context, s *[]int, _ engine.Message[uint64], _ engine.Emit[string]) error {
			*s = append(*s, 1)
			return nil
		}),
		engine.Hooks[[]int, string]{End: func(ctx context.Context, s *[]int, emit engine.Emit[string]) error {
			key := engine.CurrentKey(ctx)
			*s = append(*s, 1)
			(*s)[0] = 2
			emit(fmt.Sprint(key, *s))
			if asked[key]++; asked[key] < 4 && key != "3" {
				(*s)[0] = 3
				return wrappedUnavailable()
			}
			return nil
		}})
	got := collect[string](t)
	engine.Sink(p, "sink", out, got.sink)
	s := stageStatus(t, run(t, p, t.TempDir()), "worker")
	want := []string{}
	for k := range 10 {
		want = append(want, fmt.Sprint(fmt.Sprint(k), []int{2, 1, 1, 1}))
	}
	if !slices.Equal(got.all(), want) || s.Starts != 1 || asked["3"] != 1 || asked["9"] != 4 {
		t.Errorf("%q, asked %v, %+v", got.all(), asked, s)
	}
}

// Others do not wait: neither another input nor a timer of the stage.
func TestOthersGoOnWhileOneIsUnavailable(t *testing.T) {
	t.Parallel()
	p := engine.New("others")
	back := make(chan struct{})
	numbers := engine.Source(p, "numbers", count(5, 1))
	others := engine.Source(p, "others", count(50, 1))
	taken, ticks := 0, 0
	engine.Sink(p, "sink", engine.Stage(p.With(fast, engine.Attempts(1)), "worker",
		engine.On(numbers, func(context.Context, *struct{}, engine.Message[uint64], engine.Emit[uint64]) error {
			select {
			case <-back:
				return nil
			default:
				return engine.Unavailable(errDown)
			}
		}),
		engine.On(others, func(context.Context, *struct{}, engine.Message[uint64], engine.Emit[uint64]) error {
			if taken++; taken == 50 && ticks > 2 {
				close(back)
			}
			return nil
		}),
		engine.Every(time.Millisecond, func(context.Context, *struct{}, time.Time, engine.Emit[uint64]) error {
			if ticks++; ticks == 3 && taken >= 50 {
				close(back)
			}
			return nil
		})), func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
	run(t, p, t.TempDir())
}
