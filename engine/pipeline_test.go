package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

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

func TestKeyedStateAndEndHook(t *testing.T) {
	t.Parallel()
	const n, keys = 20_000, 997
	p := engine.New("keyed")
	numbers := engine.Source(p, "numbers", count(n, 50))
	counts := engine.Stage(p.With(engine.KeysInMemory(64)), "count",
		engine.On(engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprintf("%03d", v%keys) }),
			func(_ context.Context, sum *uint64, m engine.Message[uint64], _ engine.Emit[string]) error {
				*sum += m.Value
				return nil
			}),
		engine.Hooks[uint64, string]{End: func(ctx context.Context, sum *uint64, emit engine.Emit[string]) error {
			emit(fmt.Sprintf("%s=%d", engine.CurrentKey(ctx), *sum))
			return nil
		}})
	got := collect[string](t)
	engine.Sink(p, "sink", counts, got.sink)
	dir := t.TempDir()
	run(t, p, dir)
	want := map[uint64]uint64{}
	for i := uint64(0); i < n; i++ {
		want[i%keys] += i
	}
	values := got.all()
	if len(values) != keys {
		t.Fatalf("%d keys, want %d", len(values), keys)
	}
	for k, v := range values {
		if v != fmt.Sprintf("%03d=%d", k, want[uint64(k)]) {
			t.Fatalf("key %d: %s, want %d", k, v, want[uint64(k)])
		}
	}
	if states := committedState[uint64](t, dir, "count"); len(states) != keys || states["007"] != want[7] {
		t.Errorf("%d states, 007 is %d, want %d", len(states), states["007"], want[7])
	}
}

func TestForgetKeyDropsTheState(t *testing.T) {
	t.Parallel()
	p := engine.New("forget")
	numbers := engine.Source(p, "numbers", count(100, 1))
	engine.Sink(p, "sink", engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v % 4) }),
		func(ctx context.Context, seen *uint64, m engine.Message[uint64]) error {
			*seen++
			if m.Value%4 == 1 && m.Value > 90 {
				engine.ForgetKey(ctx)
			}
			return nil
		})
	dir := t.TempDir()
	run(t, p, dir)
	if states := committedState[uint64](t, dir, "sink"); len(states) != 3 || states["0"] != 25 {
		t.Errorf("states: %v", states)
	}
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

func TestFullChannelMakesTheWriterWait(t *testing.T) {
	t.Parallel()
	p := engine.New("full")
	numbers := engine.Source(p, "numbers", count(5000, 10)).WithCapacity(engine.Capacity{Messages: 100, Bytes: 64 << 10})
	var most uint64
	got := collect[uint64](t)
	engine.Sink(p, "sink", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		// The reader may get a frame before its writer has the acknowledgement.
		if out := p.Status().Stages[0].Out; out > m.Offset {
			most = max(most, out-m.Offset)
		}
		return got.sink(ctx, s, m)
	})
	run(t, p, t.TempDir())
	if len(got.all()) != 5000 {
		t.Errorf("%d values", len(got.all()))
	}
	if most > 100 {
		t.Errorf("the writer was %d messages ahead of the reader, the channel holds 100", most)
	}
}

func TestTooLargeValueIsRefusedAtItsStage(t *testing.T) {
	t.Parallel()
	p := engine.New("large")
	numbers := engine.Source(p, "numbers", count(10, 10))
	out := engine.Stage(p.With(fast), "worker", engine.On(numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[[]byte]) error {
			switch m.Value {
			case 3:
				emit(make([]byte, 9<<20))
			case 5:
				for range 20 {
					emit(make([]byte, 1<<20))
				}
			default:
				emit(make([]byte, 2<<20))
			}
			return nil
		}))
	received := 0
	engine.Sink(p, "sink", out, func(_ context.Context, _ *struct{}, m engine.Message[[]byte]) error {
		received++
		return nil
	})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "worker"); s.DeadLetters != 2 || received != 8 {
		t.Errorf("received %d, %+v", received, s)
	}
}

func TestCompressionAndBigState(t *testing.T) {
	t.Parallel()
	p := engine.New("compressed")
	numbers := engine.Source(p, "numbers", count(3000, 100)).WithCompression()
	engine.Sink(p, "sink", numbers, func(_ context.Context, all *[]uint64, m engine.Message[uint64]) error {
		*all = append(*all, m.Value)
		return nil
	})
	dir := t.TempDir()
	run(t, p, dir)
	if all := committedState[[]uint64](t, dir, "sink")[""]; len(all) != 3000 || all[2999] != 2999 {
		t.Errorf("%d in the state", len(all))
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
