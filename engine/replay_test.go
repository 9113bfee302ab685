package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
)

func lettersLeft(t *testing.T, dir string) (ids []string) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inspector.Close() }()
	letters, _, err := inspector.DeadLetters(t.Context())
	if err == nil {
		err = letters.Select(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
			ids = append(ids, l.ID())
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// Dead letters of a complete run come back: its stages, and those that read
// them, go on where they were.
func TestReplayOfACompleteRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	calls := 0
	wire := func(broken bool) *engine.Pipeline {
		p := engine.New("replay")
		numbers := engine.Source(p, "numbers", count(100, 7))
		doubled := engine.Stage(p.With(fast), "double", engine.On(numbers,
			func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				if calls++; broken && m.Value%10 == 3 {
					return errors.New("no threes")
				}
				*n++
				emit(2 * m.Value)
				return nil
			}))
		engine.Sink(p, "sink", doubled, got.sink)
		return p
	}
	status := run(t, wire(true), dir)
	if s := stageStatus(t, status, "double"); s.DeadLetters != 10 || len(lettersLeft(t, dir)) != 10 {
		t.Fatalf("%+v", s)
	}
	for range 2 { // given twice is given once
		if n := replayAll(t, dir); n != 10 {
			t.Fatalf("%d asked for", n)
		}
	}
	calls = 0
	run(t, wire(false), dir)
	values := got.all()
	slices.Sort(values)
	if len(values) != 100 || values[99] != 198 || calls != 10 {
		t.Errorf("%d values, %d calls: %v", len(values), calls, values)
	}
	if n := committedState[int](t, dir, "double")[""]; n != 100 {
		t.Errorf("the state counts %d", n)
	}
	if left := lettersLeft(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// replayAll asks for every dead letter of a pipeline that is not running; that
// one waits already is fine.
func replayAll(t *testing.T, dir string) (asked int) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inspector.Close() }()
	letters, _, err := inspector.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = letters.SelectInOrder(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
		asked++
		if err := letters.Replay(t.Context(), l, dlq.ReplayOptions{}); !errors.Is(err, dlq.ErrPending) {
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// A replay that fails again is a letter of the next round, with its history.
func TestReplayThatFailsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wire := func() *engine.Pipeline {
		p := engine.New("again")
		numbers := engine.Source(p, "numbers", count(10, 1))
		engine.Sink(p.With(fast), "sink", numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 4 {
				panic("never")
			}
			return nil
		})
		return p
	}
	run(t, wire(), dir)
	for round := 1; round <= 3; round++ {
		inspector, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
		if err != nil {
			t.Fatal(err)
		}
		letters, _, err := inspector.DeadLetters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l, found, err := letters.Get(t.Context(), "sink.0:numbers.0:4")
		if err != nil || !found || l.Round != round || len(l.History) != round-1 || len(l.Attempts) != 3 {
			t.Fatalf("round %d: %v %v %+v", round, found, err, l)
		}
		err = letters.Replay(t.Context(), l, dlq.ReplayOptions{})
		if round == 3 {
			if !errors.Is(err, dlq.ErrRounds) {
				t.Errorf("the third round: %v", err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if err := inspector.Close(); err != nil {
			t.Fatal(err)
		}
		if round < 3 {
			run(t, wire(), dir)
		}
	}
}
