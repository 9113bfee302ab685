package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
)

// firing is what the stage of a timer test remembers.
type firing struct {
	Asked []uint64
	Fired int
	First time.Time
}

// A timer fires once, not before its time, and ends the stage here.
func TestOnTimerFiresOnce(t *testing.T) {
	t.Parallel()
	p := engine.New("once")
	end := make(chan struct{})
	var due time.Time
	out := engine.Stage(p, "stage",
		engine.On(engine.Source(p, "numbers", countUntil(3, end)), func(ctx context.Context, s *firing, m engine.Message[uint64], emit engine.Emit[string]) error {
			emit(fmt.Sprint("number ", m.Value))
			if m.Value == 0 {
				due = time.Now().Add(20 * time.Millisecond)
				engine.SetTimer(ctx, "soon", due)
				engine.SetTimer(ctx, "end", due.Add(20*time.Millisecond))
			}
			return nil
		}),
		engine.OnTimer("soon", func(_ context.Context, s *firing, now time.Time, emit engine.Emit[string]) error {
			if now.Before(due) {
				t.Errorf("%v too early", due.Sub(now))
			}
			s.Fired++
			emit("fired")
			return nil
		}),
		engine.OnTimer("end", func(context.Context, *firing, time.Time, engine.Emit[string]) error { close(end); return nil }))
	got := collect[string](t)
	engine.Sink(p, "sink", out, got.sink)
	dir := t.TempDir()
	run(t, p, dir)
	if s := committedState[firing](t, dir, "stage")[""]; s.Fired != 1 || len(got.all()) != 4 || got.all()[3] != "fired" {
		t.Errorf("fired %d times: %v", s.Fired, got.all())
	}
}

// The last time that is set counts; a timer that is cancelled is gone; one may
// set itself again.
func TestSetTimerMovesAndCancelTimerStops(t *testing.T) {
	t.Parallel()
	p := engine.New("moves")
	end := make(chan struct{})
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(1, end)),
		func(ctx context.Context, _ *map[string]int, _ engine.Message[uint64]) error {
			now := time.Now()
			engine.SetTimer(ctx, "sooner", now.Add(time.Hour))
			engine.SetTimer(ctx, "sooner", now.Add(time.Millisecond))
			engine.SetTimer(ctx, "later", now.Add(-time.Hour))
			engine.SetTimer(ctx, "later", now.Add(time.Hour))
			engine.SetTimer(ctx, "cancelled", now)
			engine.CancelTimer(ctx, "cancelled")
			engine.CancelTimer(ctx, "later") // and set again: it is as good as new
			engine.SetTimer(ctx, "later", now.Add(time.Hour))
			engine.SetTimer(ctx, "again", now)
			return nil
		},
		tally("sooner", nil), tally("later", nil), tally("cancelled", nil),
		tally("again", func(ctx context.Context, n int) {
			if n < 5 {
				engine.SetTimer(ctx, "again", time.Now().Add(5*time.Millisecond))
				return
			}
			close(end)
		}))
	dir := t.TempDir()
	run(t, p, dir)
	if s := committedState[map[string]int](t, dir, "sink")[""]; s["sooner"] != 1 || s["again"] != 5 || len(s) != 2 {
		t.Errorf("fired %v", s)
	}
}

// tally counts how often a timer fires.
func tally(name string, then func(ctx context.Context, n int)) engine.Part[map[string]int, engine.None] {
	return engine.OnTimer(name, func(ctx context.Context, fired *map[string]int, _ time.Time, _ engine.Emit[engine.None]) error {
		if *fired == nil {
			*fired = map[string]int{}
		}
		(*fired)[name]++
		if then != nil {
			then(ctx, (*fired)[name])
		}
		return nil
	})
}

// The far ends of time are times too: never and at once.
func TestSetTimerTakesAnyTime(t *testing.T) {
	t.Parallel()
	p := engine.New("anytime")
	end := make(chan struct{})
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(1, end)),
		func(ctx context.Context, _ *map[string]int, _ engine.Message[uint64]) error {
			engine.SetTimer(ctx, "never", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
			engine.SetTimer(ctx, "epoch", time.Unix(0, 0))
			engine.SetTimer(ctx, "zero", time.Time{})
			engine.SetTimer(ctx, "end", time.Now().Add(20*time.Millisecond))
			return nil
		},
		tally("never", nil), tally("epoch", nil), tally("zero", nil),
		tally("end", func(context.Context, int) { close(end) }))
	dir := t.TempDir()
	run(t, p, dir)
	if s := committedState[map[string]int](t, dir, "sink")[""]; s["epoch"] != 1 || s["zero"] != 1 || s["never"] != 0 {
		t.Errorf("fired %v", s)
	}
}

// Restarts of the stage neither forget a timer nor fire it twice.
func TestOnTimerSurvivesRestartsOfTheStage(t *testing.T) {
	t.Parallel()
	p := engine.New("restarts")
	end := make(chan struct{})
	var once sync.Once // a call may be undone and come again
	engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", countUntil(6, end)),
		func(ctx context.Context, s *firing, m engine.Message[uint64]) error {
			if m.Value == 0 {
				engine.SetTimer(ctx, "due", time.Now().Add(30*time.Millisecond))
			}
			if m.Value > 0 && m.Attempt == 1 {
				return errors.New("once each")
			}
			return nil
		},
		engine.OnTimer("due", func(ctx context.Context, s *firing, _ time.Time, _ engine.Emit[engine.None]) error {
			if s.Fired++; engine.Attempt(ctx) < 3 {
				panic("twice")
			}
			engine.SetTimer(ctx, "end", time.Now().Add(10*time.Millisecond))
			return nil
		}),
		engine.OnTimer("end", func(context.Context, *firing, time.Time, engine.Emit[engine.None]) error {
			once.Do(func() { close(end) })
			return nil
		}))
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.Errors != 5 || s.Panics < 2 || s.In != 6 || s.DeadLetters != 0 {
		t.Errorf("%+v", s)
	}
	if s := committedState[firing](t, dir, "sink")[""]; s.Fired != 1 {
		t.Errorf("fired %d times", s.Fired)
	}
}

// A timer that is set in one process fires in the next, once.
func TestOnTimerSurvivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const wait = 100 * time.Millisecond
	set := make(chan time.Time, 1)
	end := make(chan struct{})
	wire := func() *engine.Pipeline {
		p := engine.New("process")
		engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(1, end)),
			func(ctx context.Context, s *firing, m engine.Message[uint64]) error {
				due := time.Now().Add(wait)
				engine.SetTimer(ctx, "due", due)
				set <- due
				return nil
			},
			engine.OnTimer("due", func(ctx context.Context, s *firing, now time.Time, _ engine.Emit[engine.None]) error {
				s.Fired++
				s.First = now
				engine.SetTimer(ctx, "end", now.Add(20*time.Millisecond))
				return nil
			}),
			engine.OnTimer("end", func(context.Context, *firing, time.Time, engine.Emit[engine.None]) error { close(end); return nil }))
		return p
	}
	b := runBeside(t, wire(), testConfig(t, dir))
	b.until("sink", "has committed", func(s observe.StageStatus) bool { return s.In == 1 })
	b.stop()
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	due := <-set
	if s := committedState[firing](t, dir, "sink")[""]; s.Fired != 0 && time.Now().Before(due) {
		t.Fatalf("it fired too early")
	}
	run(t, wire(), dir)
	if s := committedState[firing](t, dir, "sink")[""]; s.Fired != 1 || s.First.Before(due.Add(-time.Millisecond)) {
		t.Errorf("fired %d times, %v before its time", s.Fired, due.Sub(s.First))
	}
}

// What a call sets is undone with it.
func TestSetTimerIsUndoneWithItsCall(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() error{
		"error":       func() error { return errors.New("once") },
		"panic":       func() error { panic("once") },
		"hold":        func() error { return engine.Hold },
		"snooze":      func() error { return engine.Snooze(time.Millisecond) },
		"unavailable": func() error { return engine.Unavailable(errDown) },
		"reject":      func() error { return engine.Reject(errors.New("never")) },
	} {
		for state, plain := range map[string]bool{"plain": true, "shared": false} {
			t.Run(name+" "+state, func(t *testing.T) {
				t.Parallel()
				p := engine.New("undone")
				end := make(chan struct{})
				numbers := engine.Source(p, "numbers", countUntil(2, end))
				answered := false
				call := func(ctx context.Context, m engine.Message[uint64]) error {
					if m.Value == 0 {
						engine.SetTimer(ctx, "kept", time.Now().Add(30*time.Millisecond))
					}
					if m.Value == 1 && !answered {
						answered = true
						engine.SetTimer(ctx, "undone", time.Now().Add(time.Millisecond))
						engine.CancelTimer(ctx, "kept")
						return answer()
					}
					return nil
				}
				dir := t.TempDir()
				var fired map[string]int
				if plain {
					engine.Sink(p.With(fast), "sink", numbers, func(ctx context.Context, _ *[2]int, m engine.Message[uint64]) error { return call(ctx, m) },
						engine.OnTimer("undone", func(_ context.Context, s *[2]int, _ time.Time, _ engine.Emit[engine.None]) error { s[0]++; return nil }),
						engine.OnTimer("kept", func(_ context.Context, s *[2]int, _ time.Time, _ engine.Emit[engine.None]) error {
							s[1]++
							close(end)
							return nil
						}))
					run(t, p, dir)
					s := committedState[[2]int](t, dir, "sink")[""]
					fired = map[string]int{"undone": s[0], "kept": s[1]}
				} else {
					engine.Sink(p.With(fast), "sink", numbers, func(ctx context.Context, _ *map[string]int, m engine.Message[uint64]) error { return call(ctx, m) },
						tally("undone", nil), tally("kept", func(context.Context, int) { close(end) }))
					run(t, p, dir)
					fired = committedState[map[string]int](t, dir, "sink")[""]
				}
				if fired["undone"] != 0 || fired["kept"] != 1 || !answered {
					t.Errorf("fired %v", fired)
				}
			})
		}
	}
}

// A stage whose inputs have ended does not wait for its timers.
func TestOnTimerIsGoneWhenTheStageHasEnded(t *testing.T) {
	t.Parallel()
	p := engine.New("gone")
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)),
		func(ctx context.Context, _ *struct{}, _ engine.Message[uint64]) error {
			engine.SetTimer(ctx, "late", time.Now().Add(time.Hour))
			return nil
		},
		engine.OnTimer("late", func(context.Context, *struct{}, time.Time, engine.Emit[engine.None]) error { return nil }))
	run(t, p, t.TempDir()) // an hour is more than it has
}

func TestOnTimerEOFEndsTheStage(t *testing.T) {
	t.Parallel()
	p := engine.New("timereof")
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(1, nil)),
		func(ctx context.Context, _ *struct{}, _ engine.Message[uint64]) error {
			engine.SetTimer(ctx, "end", time.Now())
			return nil
		},
		engine.OnTimer("end", func(context.Context, *struct{}, time.Time, engine.Emit[engine.None]) error { return io.EOF }))
	run(t, p, t.TempDir())
}

// A timer releases what is held, and its own emissions are in order.
func TestOnTimerReleasesWhatIsHeld(t *testing.T) {
	t.Parallel()
	p := engine.New("release")
	out := engine.Stage(p, "stage",
		engine.On(engine.Source(p, "numbers", count(3, 3)), func(ctx context.Context, open *bool, m engine.Message[uint64], emit engine.Emit[string]) error {
			if m.Value == 0 {
				engine.SetTimer(ctx, "open", time.Now().Add(5*time.Millisecond))
			} else if !*open {
				return engine.Hold
			}
			emit(fmt.Sprint(m.Value))
			return nil
		}),
		engine.OnTimer("open", func(_ context.Context, open *bool, _ time.Time, emit engine.Emit[string]) error {
			*open = true
			emit("open")
			return nil
		}))
	got := collect[string](t)
	engine.Sink(p, "sink", out, got.sink)
	run(t, p, t.TempDir())
	if !slices.Equal(got.all(), []string{"0", "open", "1", "2"}) {
		t.Errorf("%v", got.all())
	}
}

func TestTimerWiringMistakes(t *testing.T) {
	t.Parallel()
	p := engine.New("wiring")
	tick := func(context.Context, *int, time.Time, engine.Emit[engine.None]) error { return nil }
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)), ignore[int, uint64],
		engine.OnTimer("twice", tick), engine.OnTimer("twice", tick), engine.OnTimer("not a name", tick),
		engine.OnTimer[int, engine.None]("nil", nil))
	err := p.Check()
	for _, want := range []string{`two timers named "twice"`, `timer name "not a name"`, "the function of its timer is nil"} {
		if !errors.Is(err, engine.ErrWiring) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	p = engine.New("wiring")
	engine.Sink(p, "sink", engine.KeyBy(engine.Source(p, "numbers", count(1, 1)), func(uint64) string { return "k" }), ignore[int, uint64], engine.OnTimer("keyed", tick))
	if err := p.Check(); !errors.Is(err, engine.ErrWiring) {
		t.Errorf("a timer of a keyed stage: %v", err)
	}
}

// A timer that nobody declared is a wiring mistake that says what to do.
func TestSetTimerWithoutOnTimerPanics(t *testing.T) {
	t.Parallel()
	p := engine.New("unknown")
	var text any
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)), func(ctx context.Context, _ *int, _ engine.Message[uint64]) error {
		defer func() { text = recover() }()
		engine.SetTimer(ctx, "nobody", time.Now())
		return nil
	})
	run(t, p, t.TempDir())
	if text != `engine: stage sink has no timer "nobody": give it one with engine.OnTimer` {
		t.Errorf("panic %v", text)
	}
	defer func() {
		if text := recover(); text != `engine: timer "nobody": outside a call of a stage` {
			t.Errorf("panic %v", text)
		}
	}()
	engine.CancelTimer(t.Context(), "nobody")
}
