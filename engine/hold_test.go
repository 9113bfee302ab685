package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"penstock/engine"
)

func TestFanInHoldTakesOneNumberPerBeat(t *testing.T) {
	t.Parallel()
	type Tally struct{ Credit, Done uint64 }
	for name, state := range map[string]func(p *engine.Pipeline, numbers, beats *engine.Stream[uint64]) *engine.Stream[uint64]{
		"plain state": func(p *engine.Pipeline, numbers, beats *engine.Stream[uint64]) *engine.Stream[uint64] {
			return engine.Stage(p, "worker",
				engine.On(beats, func(_ context.Context, s *Tally, _ engine.Message[uint64], _ engine.Emit[uint64]) error {
					s.Credit++
					return nil
				}),
				engine.On(numbers, func(_ context.Context, s *Tally, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					s.Done++ // undone by Hold
					emit(m.Value)
					if s.Credit == 0 {
						return engine.Hold
					}
					s.Credit--
					return nil
				}))
		},
		"state with a map": func(p *engine.Pipeline, numbers, beats *engine.Stream[uint64]) *engine.Stream[uint64] {
			return engine.Stage(p, "worker",
				engine.On(beats, func(_ context.Context, s *map[string]uint64, _ engine.Message[uint64], _ engine.Emit[uint64]) error {
					if *s == nil {
						*s = map[string]uint64{}
					}
					(*s)["credit"]++
					return nil
				}),
				engine.On(numbers, func(_ context.Context, s *map[string]uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					if *s == nil {
						*s = map[string]uint64{}
					}
					(*s)["done"]++
					emit(m.Value)
					if (*s)["credit"] == 0 {
						return engine.Hold
					}
					(*s)["credit"]--
					return nil
				}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 200
			p := engine.New("hold")
			numbers := engine.Source(p, "numbers", count(n, 5))
			beats := engine.Source(p, "beats", count(n, 1))
			got := collect[uint64](t)
			engine.Sink(p, "sink", state(p, numbers, beats), got.sink)
			dir := t.TempDir()
			status := run(t, p, dir)
			if values := got.all(); len(values) != n || values[n-1] != n-1 {
				t.Fatalf("%d values", len(values))
			}
			if s := stageStatus(t, status, "worker"); s.In != 2*n || s.DeadLetters != 0 {
				t.Errorf("worker: %+v", s)
			}
		})
	}
}

func TestHeldForEverBecomesDeadLetters(t *testing.T) {
	t.Parallel()
	p := engine.New("held")
	numbers := engine.Source(p, "numbers", count(10, 1))
	beats := engine.Source(p, "beats", count(7, 1))
	out := engine.Stage(p, "worker",
		engine.On(beats, func(_ context.Context, credit *int, _ engine.Message[uint64], _ engine.Emit[uint64]) error {
			*credit++
			return nil
		}),
		engine.On(numbers, func(_ context.Context, credit *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if *credit == 0 {
				return engine.Hold
			}
			*credit--
			emit(m.Value)
			return nil
		}))
	got := collect[uint64](t)
	engine.Sink(p, "sink", out, got.sink)
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "worker"); s.DeadLetters != 3 || len(got.all()) != 7 {
		t.Errorf("%d dead letters, %d values", s.DeadLetters, len(got.all()))
	}
}

func TestTimerFiresAndSnoozeComesBack(t *testing.T) {
	t.Parallel()
	p := engine.New("timer")
	numbers := engine.Source(p, "numbers", count(3, 1))
	snoozed := 0
	out := engine.Stage(p, "worker",
		engine.On(numbers, func(_ context.Context, ticks *int, m engine.Message[uint64], emit engine.Emit[string]) error {
			if m.Value == 1 && (*ticks < 3 || snoozed < 2) {
				snoozed++
				return engine.Snooze(time.Millisecond)
			}
			emit(fmt.Sprint("number ", m.Value))
			return nil
		}),
		engine.Every(2*time.Millisecond, func(_ context.Context, ticks *int, _ time.Time, emit engine.Emit[string]) error {
			*ticks++
			if *ticks <= 3 {
				emit(fmt.Sprint("tick ", *ticks))
			}
			return nil
		}))
	got := collect[string](t)
	engine.Sink(p, "sink", out, got.sink)
	run(t, p, t.TempDir())
	text := strings.Join(got.all(), ",")
	if strings.Index(text, "tick 3") > strings.Index(text, "number 1") || !strings.Contains(text, "number 2") || snoozed < 2 {
		t.Errorf("%s after %d snoozes", text, snoozed)
	}
}

// Two inputs that both wait must not keep asking each other.
func TestHeldInputsRest(t *testing.T) {
	t.Parallel()
	p := engine.New("rest")
	a, b := engine.Source(p, "a", count(5, 1)), engine.Source(p, "b", count(5, 1))
	calls := 0
	take := func(_ context.Context, s *map[string]int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		if calls++; (*s)["ticks"] < 5 {
			return engine.Hold
		}
		emit(m.Value)
		return nil
	}
	both := engine.Stage(p, "both", engine.On(a, take), engine.On(b, take),
		engine.Every(10*time.Millisecond, func(_ context.Context, s *map[string]int, _ time.Time, _ engine.Emit[uint64]) error {
			if *s == nil {
				*s = map[string]int{}
			}
			(*s)["ticks"]++
			return nil
		}))
	got := 0
	engine.Sink(p, "sink", both, func(context.Context, *struct{}, engine.Message[uint64]) error { got++; return nil })
	run(t, p, t.TempDir())
	if got != 10 || calls > 100 {
		t.Errorf("%d taken in %d calls", got, calls)
	}
}
