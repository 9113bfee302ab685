package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"penstock/engine"
)

func TestLinearPipelineDeliversEverythingOnceInOrder(t *testing.T) {
	t.Parallel()
	const n = 50_000
	p := engine.New("linear")
	numbers := engine.Source(p, "numbers", count(n, 7))
	texts := engine.Stage(p, "texts", engine.On(numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[string]) error {
			if m.Value%3 != 0 {
				emit(fmt.Sprint(m.Value))
			}
			return nil
		}))
	got := collect[string](t)
	engine.Sink(p, "sink", texts, got.sink)
	status := run(t, p, t.TempDir())
	values := got.all()
	at := 0
	for i := range n {
		if i%3 == 0 {
			continue
		}
		if values[at] != fmt.Sprint(i) {
			t.Fatalf("value %d is %s, want %d", at, values[at], i)
		}
		at++
	}
	if at != len(values) {
		t.Fatalf("%d values, want %d", len(values), at)
	}
	if s := stageStatus(t, status, "texts"); s.In != n || s.Out != uint64(at) || s.Lag != 0 {
		t.Errorf("texts: %+v", s)
	}
}

func TestFailingMessageIsDivertedAfterItsAttempts(t *testing.T) {
	t.Parallel()
	p := engine.New("poison")
	numbers := engine.Source(p, "numbers", count(100, 10))
	tries := map[uint64][]int{}
	out := engine.Stage(p.With(fast), "worker", engine.On(numbers,
		func(_ context.Context, sum *map[string]uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if *sum == nil {
				*sum = map[string]uint64{}
			}
			(*sum)["sum"] += m.Value
			switch m.Value {
			case 33:
				tries[33] = append(tries[33], m.Attempt)
				panic("33")
			case 44:
				tries[44] = append(tries[44], m.Attempt)
				return errors.New("44")
			case 55:
				tries[55] = append(tries[55], m.Attempt)
				return engine.Reject(errors.New("55"))
			case 66:
				tries[66] = append(tries[66], m.Attempt)
				if m.Attempt < 3 {
					panic("66")
				}
			}
			emit(m.Value)
			return nil
		}))
	got := collect[uint64](t)
	engine.Sink(p, "sink", out, got.sink)
	dir := t.TempDir()
	status := run(t, p, dir)
	if len(got.all()) != 97 {
		t.Errorf("%d values, want 97", len(got.all()))
	}
	s := stageStatus(t, status, "worker")
	if s.Panics != 5 || s.Errors != 3 || s.DeadLetters != 3 || s.Restarts != 8 || s.In != 100 {
		t.Errorf("worker: %+v", s)
	}
	if fmt.Sprint(tries) != "map[33:[1 2 3] 44:[1 2 3] 55:[1] 66:[1 2 3]]" {
		t.Errorf("attempts: %v", tries)
	}
	if sum := committedState[map[string]uint64](t, dir, "worker")[""]["sum"]; sum != 99*100/2-33-44-55 {
		t.Errorf("the state is %d", sum)
	}
}

func TestSourceFaultIsRetriedAtTheSameStep(t *testing.T) {
	t.Parallel()
	p := engine.New("source")
	var attempts []int
	numbers := engine.Source(p.With(fast), "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 13 {
			attempts = append(attempts, engine.Attempt(ctx))
			if engine.Attempt(ctx) < 3 {
				emit(999)
				at.Next = 999
				panic("13")
			}
		}
		if at.Next == 20 {
			return io.EOF
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	got := collect[uint64](t)
	engine.Sink(p, "sink", numbers, got.sink)
	status := run(t, p, t.TempDir())
	if fmt.Sprint(got.all()) != "[0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19]" {
		t.Errorf("values %v", got.all())
	}
	if s := stageStatus(t, status, "numbers"); s.Panics != 2 || s.Restarts != 2 || fmt.Sprint(attempts) != "[1 2 3]" {
		t.Errorf("numbers: %+v, attempts %v", s, attempts)
	}
}

func TestBlockingSourceDoesNotKeepItsOutputsBack(t *testing.T) {
	t.Parallel()
	p := engine.New("blocking")
	release := make(chan struct{})
	numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 5 {
			select {
			case <-release:
				return io.EOF
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	seen := 0
	engine.Sink(p, "sink", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error {
		if seen++; seen == 5 {
			close(release)
		}
		return nil
	})
	run(t, p, t.TempDir())
}

func TestBranchesTravelTogether(t *testing.T) {
	t.Parallel()
	p := engine.New("branches")
	numbers := engine.Source(p, "numbers", count(1000, 3))
	odd := engine.Branch[string](p, "odd")
	even := engine.Stage(p.With(engine.Branches(odd)), "split", engine.On(numbers,
		func(ctx context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if m.Value%2 == 0 {
				emit(m.Value)
			} else {
				odd.Emit(ctx, fmt.Sprint(m.Value))
			}
			return nil
		}))
	evens, odds := collect[uint64](t), collect[string](t)
	engine.Sink(p, "evens", even, evens.sink)
	engine.Sink(p, "odds", &odd.Stream, odds.sink)
	run(t, p, t.TempDir())
	if e, o := evens.all(), odds.all(); len(e) != 500 || len(o) != 500 || e[499] != 998 || o[499] != "999" {
		t.Errorf("%d even, %d odd", len(e), len(o))
	}
}

func TestBatchSinkIsolatesTheGuilty(t *testing.T) {
	t.Parallel()
	p := engine.New("batch")
	numbers := engine.Source(p, "numbers", count(1000, 100))
	done := map[uint64]int{}
	calls := 0
	engine.SinkBatch(p.With(fast, engine.BatchSize(50)), "sink", numbers,
		func(_ context.Context, _ *struct{}, batch []engine.Message[uint64]) error {
			calls++
			if len(batch) > 50 {
				t.Errorf("a batch of %d", len(batch))
			}
			for _, m := range batch {
				if m.Value == 500 {
					return errors.New("poison")
				}
			}
			for _, m := range batch {
				done[m.Value]++
			}
			return nil
		})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "sink"); s.DeadLetters != 1 || len(done) != 999 || done[500] != 0 {
		t.Errorf("%d done, %+v", len(done), s)
	}
	if calls > 300 {
		t.Errorf("%d calls for 1000 messages", calls)
	}
}

func TestFanOutReadersGoAtTheirOwnPace(t *testing.T) {
	t.Parallel()
	p := engine.New("fanout")
	numbers := engine.Source(p, "numbers", count(2000, 20))
	release := make(chan struct{})
	engine.Sink(p, "fast", numbers, func(_ context.Context, n *int, _ engine.Message[uint64]) error {
		if *n++; *n == 2000 {
			close(release)
		}
		return nil
	})
	slow := collect[uint64](t)
	engine.Sink(p, "slow", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		select {
		case <-release:
		case <-ctx.Done():
			return ctx.Err()
		}
		return slow.sink(ctx, s, m)
	})
	run(t, p, t.TempDir())
	if len(slow.all()) != 2000 {
		t.Errorf("slow saw %d", len(slow.all()))
	}
}

func TestStageEndsByItselfAndSoDoItsProducers(t *testing.T) {
	t.Parallel()
	p := engine.New("ends")
	endless := engine.Source(p, "endless", count(1<<60, 10))
	out := engine.Stage(p, "worker", engine.On(endless,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			emit(m.Value)
			if m.Value == 99 {
				return io.EOF
			}
			return nil
		}))
	got := collect[uint64](t)
	engine.Sink(p, "sink", out, got.sink)
	run(t, p, t.TempDir())
	if len(got.all()) != 100 {
		t.Errorf("%d values", len(got.all()))
	}
}
