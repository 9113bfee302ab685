package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/observe"
	"penstock/internal/testing/patient"
)

// A stage that gives one number for each tick has more numbers than ticks all
// the time. A replayed one takes turns with them.
func TestReplayTakesTurnsWithABacklog(t *testing.T) {
	t.Parallel()
	const backlog, soon = 100, 10
	p := engine.New("turns")
	numbers := engine.Source(p, "numbers", countUntil(backlog, nil))
	tick := make(chan struct{})
	ticks := engine.Source(p, "ticks", func(ctx context.Context, n *Place, emit engine.Emit[uint64]) error {
		select {
		case <-tick:
			emit(n.Next)
			n.Next++
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	var taken, replayed atomic.Uint64
	var sound, offered atomic.Bool
	engine.Stage(p, "worker",
		engine.On(ticks, func(_ context.Context, credit *int, _ engine.Message[uint64], _ engine.Emit[engine.None]) error {
			*credit++
			return nil
		}),
		engine.On(numbers, func(_ context.Context, credit *int, m engine.Message[uint64], _ engine.Emit[engine.None]) error {
			switch {
			case *credit == 0:
				if m.Replay > 0 {
					offered.Store(true)
				}
				return engine.Hold
			case m.Value == 3 && !sound.Load():
				return engine.Reject(errPoison)
			case m.Value == 3:
				replayed.Add(1)
			}
			*credit--
			taken.Add(1)
			return nil
		}))
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	step := func() {
		before := taken.Load()
		tick <- struct{}{}
		patient.Within(t, "a number", func() bool { return taken.Load() > before })
	}
	for range 5 {
		step()
	}
	b.until("worker", "has diverted it", func(s observe.StageStatus) bool { return s.DeadLetters == 1 })
	queue, err := p.DeadLetters()
	if err != nil {
		t.Fatal(err)
	}
	l, found, err := queue.Get(t.Context(), "worker.0:numbers.0:3")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	sound.Store(true)
	if err := queue.Replay(t.Context(), l, dlq.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	patient.Within(t, "the replay waits", offered.Load)
	for first := taken.Load(); replayed.Load() == 0; step() {
		if taken.Load() > first+soon {
			t.Fatalf("%d numbers of the backlog went first", soon)
		}
	}
	if s := stageStatus(t, p.Status(), "worker"); replayed.Load() != 1 || s.DeadLetters != 1 {
		t.Errorf("replayed %d times, %+v", replayed.Load(), s)
	}
}

// A letter that was discarded stays so, whatever was asked for before.
func TestDiscardedLetterDoesNotComeBack(t *testing.T) {
	t.Parallel()
	dir, end := t.TempDir(), make(chan struct{})
	p := engine.New("discarded")
	var sound, calls, taken atomic.Int64
	engine.Sink(p, "worker", engine.Source(p, "numbers", countUntil(5, end)), func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		switch {
		case m.Value < 3:
			return nil
		case sound.Load() == 0:
			return engine.Reject(errPoison)
		case m.Value == 4:
			taken.Add(1)
			return nil
		}
		calls.Add(1)
		return engine.Snooze(time.Millisecond)
	})
	b := runBeside(t, p, testConfig(t, dir))
	b.until("worker", "has two letters", func(s observe.StageStatus) bool { return s.In == 5 && s.DeadLetters == 2 })
	queue, err := p.DeadLetters()
	if err != nil {
		t.Fatal(err)
	}
	sound.Store(1)
	var asked []dlq.Letter // the second waits behind the first
	for _, id := range []string{"worker.0:numbers.0:3", "worker.0:numbers.0:4"} {
		l, found, err := queue.Get(t.Context(), id)
		if err != nil || !found {
			t.Fatal(found, err)
		}
		if err := queue.Replay(t.Context(), l, dlq.ReplayOptions{}); err != nil {
			t.Fatal(err)
		}
		asked = append(asked, l)
		patient.Within(t, "the first is tried", func() bool { return calls.Load() > 1 })
	}
	before := calls.Load()
	patient.Within(t, "the second is read", func() bool { return calls.Load() > before+20 })
	for _, l := range []dlq.Letter{asked[1], asked[0]} { // the first lets the second through
		if err := queue.Discard(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	close(end)
	status := b.complete()
	if ids := lettersLeft(t, dir); len(ids) > 0 || taken.Load() > 0 || stageStatus(t, status, "worker").DeadLetters != 2 {
		t.Errorf("letters %v, %d taken, %+v", ids, taken.Load(), stageStatus(t, status, "worker"))
	}
}
