package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/breaker"
	"penstock/engine/observe"
)

// breakerChanges are what a stage's breaker did.
func (b *besides) breakerChanges(stage string) (changes []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if e.Child == stage && e.Kind == observe.BreakerChanged {
			changes = append(changes, e.Detail)
		}
	}
	return changes
}

var errDown = errors.New("the other side is down")

// While the breaker is open nothing is tried; then a single probe at a time.
func TestBreakerHoldsTheInput(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error": func() error { return errDown },
		"panic": func() error { panic(errDown) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const open = 40 * time.Millisecond
			p := engine.New("breaker")
			got := collect[uint64](t)
			var attempts []int
			var states []string
			var last time.Time
			engine.Sink(p.With(fast, engine.Attempts(10), engine.CircuitBreaker(breaker.Config{Failures: 2, Open: open})), "sink",
				engine.Source(p, "numbers", count(20, 1)), func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
					if m.Value == 0 {
						attempts = append(attempts, m.Attempt)
						states = append(states, stageStatus(t, p.Status(), "sink").Breaker)
						if since := time.Since(last); m.Attempt > 2 && since < open {
							t.Errorf("attempt %d came after %v", m.Attempt, since)
						}
						if last = time.Now(); m.Attempt < 4 {
							return fail()
						}
					}
					return got.sink(ctx, s, m)
				})
			b := runBeside(t, p, testConfig(t, t.TempDir()))
			status := b.complete()
			if !slices.Equal(attempts, []int{1, 2, 3, 4}) || !slices.Equal(states, []string{"closed", "closed", "half-open", "half-open"}) {
				t.Errorf("attempts %v in the states %v", attempts, states)
			}
			if changes := b.breakerChanges("sink"); !slices.Equal(changes, []string{"open", "half-open", "open", "half-open", "closed"}) {
				t.Errorf("changes %v", changes)
			}
			if s := stageStatus(t, status, "sink"); s.Restarts != 3 || s.DeadLetters != 0 || s.Breaker != "closed" || len(got.all()) != 20 {
				t.Errorf("%d values, %+v", len(got.all()), s)
			}
		})
	}
}

// What cannot be reached is nobody's fault: nothing restarts, no attempt is
// counted, and what the call did is undone.
func TestUnavailableBurnsNoAttempt(t *testing.T) {
	t.Parallel()
	const times = 20
	for name, declare := range map[string]func(p engine.Scope, in *engine.Stream[uint64], call func(sum *[]uint64, m engine.Message[uint64]) error) *engine.Stream[uint64]{
		"message": func(p engine.Scope, in *engine.Stream[uint64], call func(sum *[]uint64, m engine.Message[uint64]) error) *engine.Stream[uint64] {
			return engine.Stage(p, "stage", engine.On(in, func(_ context.Context, sum *[]uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				emit(m.Value)
				return call(sum, m)
			}))
		},
		"batch": func(p engine.Scope, in *engine.Stream[uint64], call func(sum *[]uint64, m engine.Message[uint64]) error) *engine.Stream[uint64] {
			return engine.Stage(p, "stage", engine.OnBatch(in, func(_ context.Context, sum *[]uint64, batch []engine.Message[uint64], emit engine.Emit[uint64]) error {
				for _, m := range batch {
					emit(m.Value)
					if err := call(sum, m); err != nil {
						return err
					}
				}
				return nil
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("unavailable")
			refused := 0
			out := declare(p.With(fast, engine.Attempts(1)), engine.Source(p, "numbers", count(20, 2)), func(sum *[]uint64, m engine.Message[uint64]) error {
				*sum = append(*sum, m.Value)
				if m.Attempt != 1 {
					t.Errorf("attempt %d", m.Attempt)
				}
				if m.Value == 11 && refused < times {
					refused++
					return engine.Unavailable(errDown)
				}
				return nil
			})
			got := collect[uint64](t)
			engine.Sink(p, "sink", out, got.sink)
			dir := t.TempDir()
			status := run(t, p, dir)
			if s := stageStatus(t, status, "stage"); s.Unavailable != times || s.Starts != 1 || s.Errors != 0 || s.DeadLetters != 0 || s.Breaker != "" {
				t.Errorf("%+v", s)
			}
			if sum := committedState[[]uint64](t, dir, "stage")[""]; len(sum) != 20 || !slices.Equal(sum, got.all()) {
				t.Errorf("the state is %v, emitted were %v", sum, got.all())
			}
		})
	}
}

func TestUnavailableOpensTheBreaker(t *testing.T) {
	t.Parallel()
	p := engine.New("unavailable")
	calls := 0
	engine.Sink(p.With(fast, engine.Attempts(1), engine.CircuitBreaker(breaker.Config{Failures: 3, Open: 10 * time.Millisecond})), "sink",
		engine.Source(p, "numbers", count(10, 1)), func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 4 {
				if calls++; calls < 5 {
					return engine.Unavailable(errDown)
				}
			}
			return nil
		})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	s := stageStatus(t, b.complete(), "sink")
	if changes := b.breakerChanges("sink"); s.Unavailable != 4 || s.Starts != 1 || !slices.Equal(changes, []string{"open", "half-open", "open", "half-open", "closed"}) {
		t.Errorf("%v, %+v", changes, s)
	}
}

// What says nothing about the other side, or that it is well, opens nothing.
func TestBreakerDoesNotCountAnswers(t *testing.T) {
	t.Parallel()
	p := engine.New("answers")
	seen := map[uint64]int{}
	engine.Sink(p.With(fast, engine.CircuitBreaker(breaker.Config{Failures: 1, Open: time.Hour})), "sink", engine.Source(p, "numbers", count(10, 1)),
		func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			seen[m.Value]++
			switch {
			case m.Value == 3:
				return engine.Reject(errDown)
			case m.Value == 5 && seen[5] == 1:
				return engine.Snooze(time.Millisecond)
			case m.Value == 7 && seen[7] == 1:
				return engine.Hold
			}
			return nil
		},
		engine.Every(time.Millisecond, func(context.Context, *struct{}, time.Time, engine.Emit[engine.None]) error { return nil }))
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	if s := stageStatus(t, b.complete(), "sink"); s.DeadLetters != 1 || len(b.breakerChanges("sink")) != 0 {
		t.Errorf("%v, %+v", b.breakerChanges("sink"), s)
	}
}

// A call that is stopped from outside is no failure of the other side.
func TestBreakerDoesNotCountStops(t *testing.T) {
	t.Parallel()
	p := engine.New("stops")
	inside := make(chan struct{}, 1)
	stopped := false
	engine.Sink(p.With(fast, engine.CircuitBreaker(breaker.Config{Failures: 1, Open: time.Hour})), "sink", engine.Source(p, "numbers", count(10, 1)),
		func(ctx context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 5 && !stopped {
				stopped = true
				inside <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	await(t, "the call", inside)
	if err := p.RestartStage(t.Context(), "sink"); err != nil {
		t.Fatal(err)
	}
	if s := stageStatus(t, b.complete(), "sink"); len(b.breakerChanges("sink")) != 0 || s.Errors != 0 {
		t.Errorf("%v, %+v", b.breakerChanges("sink"), s)
	}
}

// An open breaker stays open when its stage is restarted, the timers of the
// stage go on, and a drain does not wait for it: the next run has the rest.
func TestOpenBreaker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	ticks := make(chan struct{})
	var calls int
	wire := func(down bool) *engine.Pipeline {
		p := engine.New("open")
		engine.Sink(p.With(fast, engine.CircuitBreaker(breaker.Config{Failures: 1, Open: time.Hour})), "sink", engine.Source(p, "numbers", count(10, 1)),
			func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
				if down {
					calls++
					return errDown
				}
				return got.sink(ctx, s, m)
			},
			engine.Every(time.Millisecond, func(ctx context.Context, _ *struct{}, _ time.Time, _ engine.Emit[engine.None]) error {
				select {
				case ticks <- struct{}{}:
				case <-ctx.Done():
				}
				return nil
			}))
		return p
	}
	p := wire(true)
	config := testConfig(t, dir)
	config.DrainTimeout = 40 * time.Second
	b := runBeside(t, p, config)
	go func() { // every tick is taken
		for range ticks {
		}
	}()
	b.until("sink", "is open", func(s observe.StageStatus) bool { return s.Breaker == "open" && s.State == "running" && s.Starts == 2 })
	commits := stageStatus(t, p.Status(), "sink").Commits
	if err := p.RestartStage(t.Context(), "sink"); err != nil {
		t.Fatal(err)
	}
	b.until("sink", "ticks on", func(s observe.StageStatus) bool {
		return s.Starts == 3 && s.State == "running" && s.Commits > commits+5
	})
	if s := stageStatus(t, p.Status(), "sink"); s.Breaker != "open" || s.In != 0 {
		t.Errorf("%+v", s)
	}
	b.stop()
	stopped := time.Now()
	if err := b.end(); err != nil {
		t.Errorf("error %v", err)
	}
	if took := time.Since(stopped); took > config.DrainTimeout/2 {
		t.Errorf("the drain took %v", took)
	}
	if s := stageStatus(t, p.Status(), "sink"); calls != 1 || s.Errors != 1 || s.In != 0 || s.DeadLetters != 0 {
		t.Errorf("%d calls, %+v", calls, s)
	}
	status := run(t, wire(false), dir)
	close(ticks)
	if s := stageStatus(t, status, "sink"); s.DeadLetters != 0 || len(got.all()) != 10 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
}

// A probe that hangs is one that failed: the next comes when its time has come.
func TestBreakerAfterAHangingProbe(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("probe")
	got := collect[uint64](t)
	engine.Sink(p.With(short(engine.Attempts(5), engine.CircuitBreaker(breaker.Config{Failures: 1, Open: 10 * time.Millisecond}))...), "sink",
		engine.Source(p, "numbers", count(10, 1)), func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			switch {
			case m.Value == 0 && m.Attempt == 1:
				return errDown
			case m.Value == 0 && m.Attempt == 2:
				h.hang()
				return nil // too late to close the breaker
			case m.Value == 0 && m.Attempt == 3:
				h.release()
				return errDown
			}
			return got.sink(ctx, s, m)
		})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	s := stageStatus(t, b.complete(), "sink")
	if changes := b.breakerChanges("sink"); s.Abandoned != 1 || len(got.all()) != 10 ||
		!slices.Equal(changes, []string{"open", "half-open", "open", "half-open", "open", "half-open", "closed"}) {
		t.Errorf("%v, %+v", changes, s)
	}
}

// The breaker's own listener is told as well.
func TestBreakerTellsItsListener(t *testing.T) {
	t.Parallel()
	p := engine.New("listener")
	var changes []string
	config := breaker.Config{Failures: 1, Open: time.Millisecond, OnChange: func(from, to breaker.State) {
		changes = append(changes, from.String()+" "+to.String())
	}}
	engine.Sink(p.With(fast, engine.CircuitBreaker(config)), "sink", engine.Source(p, "numbers", count(3, 1)),
		func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 1 && m.Attempt == 1 {
				return errDown
			}
			return nil
		})
	run(t, p, t.TempDir())
	if !slices.Equal(changes, []string{"closed open", "open half-open", "half-open closed"}) {
		t.Errorf("%v", changes)
	}
}
