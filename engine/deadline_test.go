package engine_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// short makes a function that hangs soon be left behind. Nothing that the
// tests do takes so long, unless it is meant to.
func short(more ...engine.Option) []engine.Option {
	return append([]engine.Option{fast, engine.Deadline(250 * time.Millisecond), engine.StopTimeout(10 * time.Millisecond)}, more...)
}

// hangs are functions that ignore their context until they are released.
type hangs struct {
	gate  chan struct{}
	calls atomic.Int64

	mu   sync.Mutex
	back sync.WaitGroup
}

func newHangs(t *testing.T) *hangs {
	h := &hangs{gate: make(chan struct{})}
	t.Cleanup(h.release)
	return h
}

// hang returns when everything is released.
func (h *hangs) hang() {
	h.calls.Add(1)
	h.mu.Lock()
	h.back.Add(1)
	h.mu.Unlock()
	defer h.back.Done()
	<-h.gate
}

// release lets all of them return, and waits until they have left hang.
func (h *hangs) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.gate:
	default:
		close(h.gate)
	}
	h.back.Wait()
}

// A function that hangs is left behind; its message uses up its attempts like
// any that fails and becomes a dead letter, no neighbour does, and what the
// functions do that return late has no effect at all.
func TestHangingFunctionIsFenced(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]error{
		"nil": nil, "error": errors.New("late"), "hold": engine.Hold, "snooze": engine.Snooze(time.Millisecond), "eof": io.EOF,
		"reject": engine.Reject(errors.New("late")), "unavailable": engine.Unavailable(errors.New("late")), "fatal": engine.Fatal(errors.New("late")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n, poison = 60, 30
			h := newHangs(t)
			end := make(chan struct{})
			p := engine.New("hang")
			var mu sync.Mutex
			epochs := map[uint64]int{} // calls after the release, by owner
			var released uint64
			returned := make(chan struct{}, 3)
			out := engine.Stage(p.With(short(engine.Attempts(3))...), "worker",
				engine.On(engine.Source(p, "numbers", countUntil(n, end)), func(ctx context.Context, sum *[]uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					mu.Lock()
					if released > 0 {
						epochs[engine.InfoOf(ctx).Epoch]++
					}
					mu.Unlock()
					if m.Value == poison {
						epoch := engine.InfoOf(ctx).Epoch
						h.hang()
						emit(m.Value + 1_000_000)
						*sum = append(*sum, 1_000_000)
						engine.SetTimer(ctx, "late", time.Now())
						engine.SetRecovery(ctx, func(context.Context, engine.Fault[[]uint64]) engine.Recovery[[]uint64] {
							t.Error("asked the recovery function of a call that was abandoned")
							return engine.Recovery[[]uint64]{}
						})
						mu.Lock()
						released = max(released, epoch)
						mu.Unlock()
						returned <- struct{}{}
						return late
					}
					*sum = append(*sum, m.Value)
					emit(m.Value)
					return nil
				}),
				engine.OnTimer("late", func(context.Context, *[]uint64, time.Time, engine.Emit[uint64]) error {
					t.Error("a timer that an abandoned call has set")
					return nil
				}))
			got := collect[uint64](t)
			engine.Sink(p, "sink", out, got.sink)
			dir := t.TempDir()
			b := runBeside(t, p, testConfig(t, dir))
			b.until("worker", "takes everything", func(s observe.StageStatus) bool { return s.In == n && s.Out == n-1 })
			before := stageStatus(t, p.Status(), "worker")
			h.release()
			for range 3 {
				await(t, "a late return", returned)
			}
			<-time.After(20 * time.Millisecond) // for what must not happen
			after := stageStatus(t, p.Status(), "worker")
			if after.Commits != before.Commits || after.Out != before.Out || after.Unavailable != 0 {
				t.Errorf("something changed: %+v, before: %+v", after, before)
			}
			close(end)
			status := b.complete()
			s := stageStatus(t, status, "worker")
			if s.Abandoned != 3 || s.Unhealthy != 3 || s.Epoch != before.Epoch || s.Epoch != 4 || s.DeadLetters != 1 || s.Out != n-1 || h.calls.Load() != 3 {
				t.Errorf("%d hung, %+v", h.calls.Load(), s)
			}
			if s := stageStatus(t, status, "sink"); s.Starts != 1 {
				t.Errorf("the sink: %+v", s)
			}
			mu.Lock()
			for epoch, calls := range epochs {
				t.Errorf("%d calls of the owner %d after it was abandoned", calls, epoch)
			}
			mu.Unlock()
			var want []uint64
			for v := range uint64(n) {
				if v != poison {
					want = append(want, v)
				}
			}
			if !slices.Equal(got.all(), want) || !slices.Equal(committedState[[]uint64](t, dir, "worker")[""], want) {
				t.Errorf("got %v", got.all())
			}
			letters := lettersIn(t, dir, "hang")
			if len(letters) != 1 || letters[0].Offset != poison || letters[0].Reason != dlq.ReasonDeadline || len(letters[0].Attempts) != 3 ||
				!strings.Contains(letters[0].Error, "longer than its deadline of 250ms") {
				t.Errorf("%+v", letters)
			}
		})
	}
}

// A message that hangs once comes again with the next attempt, beside the call
// that still hangs.
func TestHangingOnceSucceedsAtTheNextAttempt(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("once")
	got := collect[uint64](t)
	var attempt int
	engine.Sink(p.With(short()...), "sink", engine.Source(p, "numbers", count(20, 1)), func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 10 && m.Attempt == 1 {
			h.hang()
			return nil
		}
		if m.Value == 10 {
			attempt = m.Attempt
		}
		return got.sink(ctx, s, m)
	})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "sink"); s.Abandoned != 1 || s.Epoch != 2 || s.DeadLetters != 0 || attempt != 2 || len(got.all()) != 20 {
		t.Errorf("attempt %d, %d values, %+v", attempt, len(got.all()), s)
	}
}

// One that returns when its context is done is not abandoned, and counts the
// same attempts.
func TestDeadlineOfAFunctionThatHonoursItsContext(t *testing.T) {
	t.Parallel()
	p := engine.New("honour")
	got := collect[uint64](t)
	var attempts []int
	var causes []string
	asked := &faults[struct{}]{}
	engine.Sink(p.With(fast, engine.Deadline(250*time.Millisecond), engine.StopTimeout(time.Minute)), "sink", engine.Source(p, "numbers", count(20, 1)),
		func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Value == 10 {
				attempts = append(attempts, m.Attempt)
				<-ctx.Done()
				causes = append(causes, context.Cause(ctx).Error())
				return ctx.Err()
			}
			return skipping(got, 10)(ctx, s, m)
		}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.Abandoned != 0 || s.Unhealthy != 3 || s.Epoch != 1 || s.DeadLetters != 1 || !slices.Equal(attempts, []int{1, 2, 3}) || len(got.all()) != 19 {
		t.Errorf("attempts %v, %d values, %+v", attempts, len(got.all()), s)
	}
	for _, cause := range causes {
		if !strings.Contains(cause, "in message numbers.0:10 for longer than 250ms") {
			t.Errorf("cause %q", cause)
		}
	}
	for k, f := range asked.all() {
		if f.Reason != supervise.Unhealthy || f.Call != "message numbers.0:10" || f.Message == nil || f.Message.Offset != 10 || f.Attempt != k+1 || f.Abandoned {
			t.Errorf("fault %d: %+v", k, f)
		}
	}
	if letters := lettersIn(t, dir, "honour"); len(letters) != 1 || letters[0].Reason != dlq.ReasonDeadline {
		t.Errorf("%+v", letters)
	}
}

// skipping collects all but one message.
func skipping(got *collected[uint64], without uint64) func(context.Context, *struct{}, engine.Message[uint64]) error {
	return func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Offset > without {
			m.Offset--
		}
		return got.sink(ctx, s, m)
	}
}

// A deadline sees a hang also after a panic, and does not see one where the
// stage only waits.
func TestDeadlineAfterAPanic(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("afterpanic")
	end := make(chan struct{})
	quiet := make(chan struct{})
	numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 2 {
			select {
			case <-quiet:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return countUntil(4, end)(ctx, at, emit)
	})
	engine.Sink(p.With(fast, engine.Deadline(100*time.Millisecond), engine.StopTimeout(10*time.Millisecond)), "sink", numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 0 && m.Attempt == 1 || m.Value == 1 {
				panic("not well")
			}
			if m.Value == 2 && m.Attempt == 1 {
				h.hang()
			}
			return nil
		})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("sink", "takes two", func(s observe.StageStatus) bool { return s.In == 2 })
	<-time.After(300 * time.Millisecond) // it waits for three deadlines
	if s := stageStatus(t, p.Status(), "sink"); s.Unhealthy != 0 || s.Panics != 4 {
		t.Errorf("while it waits: %+v", s)
	}
	close(quiet)
	b.until("sink", "takes the rest", func(s observe.StageStatus) bool { return s.In == 4 })
	close(end)
	if s := stageStatus(t, b.complete(), "sink"); s.Unhealthy != 1 || s.Abandoned != 1 || s.DeadLetters != 1 {
		t.Errorf("%+v", s)
	}
}

func TestSlowWithinTheDeadlineIsUntouched(t *testing.T) {
	t.Parallel()
	p := engine.New("slow")
	engine.Sink(p.With(fast, engine.Deadline(10*time.Second)), "sink", engine.Source(p, "numbers", count(5, 5)),
		func(context.Context, *struct{}, engine.Message[uint64]) error {
			<-time.After(15 * time.Millisecond)
			return nil
		})
	if s := stageStatus(t, run(t, p, t.TempDir()), "sink"); s.Unhealthy != 0 || s.Starts != 1 || s.Health != "healthy" {
		t.Errorf("%+v", s)
	}
}
