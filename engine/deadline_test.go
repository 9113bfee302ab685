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
			b.until("worker", "takes everything", func(s engine.StageStatus) bool { return s.In == n })
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
	b.until("sink", "takes two", func(s engine.StageStatus) bool { return s.In == 2 })
	<-time.After(300 * time.Millisecond) // it waits for three deadlines
	if s := stageStatus(t, p.Status(), "sink"); s.Unhealthy != 0 || s.Panics != 4 {
		t.Errorf("while it waits: %+v", s)
	}
	close(quiet)
	b.until("sink", "takes the rest", func(s engine.StageStatus) bool { return s.In == 4 })
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

// In a batch the guilty message is found by itself.
func TestHangingBatchIsolatesTheGuiltyMessage(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("bulk")
	dir := t.TempDir()
	var mu sync.Mutex
	taken := map[uint64]bool{}
	engine.SinkBatch(p.With(short(engine.Attempts(2))...), "sink", engine.Source(p, "numbers", count(30, 30)),
		func(_ context.Context, _ *struct{}, batch []engine.Message[uint64]) error {
			for _, m := range batch {
				if m.Value == 13 {
					h.hang()
					return nil
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range batch {
				taken[m.Value] = true
			}
			return nil
		})
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.DeadLetters != 1 || s.In != 30 || s.Abandoned < 2 || s.Abandoned > 3 || len(taken) != 29 {
		t.Errorf("%d taken, %+v", len(taken), s)
	}
	if letters := lettersIn(t, dir, "bulk"); len(letters) != 1 || letters[0].Offset != 13 || letters[0].Reason != dlq.ReasonDeadline || len(letters[0].Attempts) != 2 {
		t.Errorf("%+v", letters)
	}
}

// What is no message has a deadline too, and is tried again.
func TestHangingElsewhere(t *testing.T) {
	t.Parallel()
	type hooks = engine.Hooks[int, engine.None]
	take := func(_ context.Context, n *int, _ engine.Message[uint64]) error { *n++; return nil }
	for call, declare := range map[string]func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()){
		"start": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				Start: func(_ context.Context, n *int, _ engine.Emit[engine.None]) error { hang(); return nil }})
		},
		"commit": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				BeforeCommit: func(context.Context, *int) error { hang(); return nil }})
		},
		"end:": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			engine.Sink(p, "stage", in, take, hooks{Recover: asked.recover,
				End: func(_ context.Context, _ *int, _ engine.Emit[engine.None]) error { hang(); return nil }})
		},
		"timer:0": func(p engine.Scope, in *engine.Stream[uint64], asked *faults[int], hang func()) {
			ticked := make(chan struct{})
			engine.Sink(p, "stage", in, func(ctx context.Context, n *int, m engine.Message[uint64]) error {
				select {
				case <-ticked:
					return take(ctx, n, m)
				default:
					return engine.Snooze(time.Millisecond)
				}
			}, hooks{Recover: asked.recover}, engine.Every(time.Millisecond, func(ctx context.Context, _ *int, _ time.Time, _ engine.Emit[engine.None]) error {
				attempt := engine.Attempt(ctx)
				hang()
				if attempt == 2 {
					close(ticked)
				}
				return nil
			}))
		},
	} {
		t.Run(strings.Trim(call, ":"), func(t *testing.T) {
			t.Parallel()
			h := newHangs(t)
			p := engine.New("elsewhere")
			asked := &faults[int]{}
			declare(p.With(short()...), engine.Source(p, "numbers", count(30, 1)), asked, func() {
				if h.calls.Load() == 0 {
					h.hang()
					return
				}
				h.release() // beside the call that takes its place
			})
			dir := t.TempDir()
			status := run(t, p, dir)
			seen := asked.all()
			if len(seen) != 1 || seen[0].Call != call || seen[0].Message != nil || !seen[0].Abandoned || seen[0].Attempt != 1 || seen[0].Reason != supervise.Unhealthy {
				t.Errorf("%+v", seen)
			}
			if s := stageStatus(t, status, "stage"); s.Abandoned != 1 || s.Epoch != 2 || s.DeadLetters != 0 || s.In != 30 {
				t.Errorf("%+v", s)
			}
			if n := committedState[int](t, dir, "stage")[""]; n != 30 {
				t.Errorf("the state counts %d", n)
			}
		})
	}
}

// A source that hangs goes on from its last commit; what the old call emits
// goes nowhere.
func TestHangingSource(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("source")
	asked := &faults[Place]{}
	returned := make(chan struct{}, 1)
	held := make(chan struct{})
	numbers := engine.Source(p.With(short()...), "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 10 && engine.Attempt(ctx) == 1 {
			h.hang()
			emit(4711)
			at.Next = 4711
			returned <- struct{}{}
			return nil
		}
		if at.Next == 20 {
			h.release()
			<-returned
			select {
			case <-held:
			default:
				close(held)
			}
		}
		return count(40, 1)(ctx, at, emit)
	}, engine.Hooks[Place, uint64]{Recover: asked.recover})
	got := collect[uint64](t)
	engine.Sink(p, "sink", numbers, got.sink)
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "numbers"); s.Abandoned != 1 || s.Epoch != 2 || s.Out != 40 {
		t.Errorf("%+v", s)
	}
	if seen := asked.all(); len(seen) != 1 || seen[0].Call != "step:10" || !seen[0].Abandoned {
		t.Errorf("%+v", seen)
	}
	if values := got.all(); len(values) != 40 || values[39] != 39 || slices.Contains(values, 4711) {
		t.Errorf("%v", values)
	}
	if at := committedState[Place](t, dir, "numbers")[""]; at.Next != 40 {
		t.Errorf("the source is at %d", at.Next)
	}
}

// The recovery function gets the key at hand, and every attempt its number.
func TestHangingKeyedStage(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("keyed")
	asked := &faults[uint64]{answer: func(f engine.Fault[uint64]) engine.Recovery[uint64] {
		if f.Attempt == 2 {
			return f.RestartWith(1000 + f.State)
		}
		return f.Restart()
	}}
	keyed := engine.KeyBy(engine.Source(p, "numbers", count(30, 1)), func(v uint64) string { return string(rune('a' + v%3)) })
	engine.Sink(p.With(short()...), "sink", keyed, func(_ context.Context, n *uint64, m engine.Message[uint64]) error {
		*n++
		if m.Value == 16 && m.Attempt < 3 {
			h.hang()
			*n = 4711
		}
		return nil
	}, engine.Hooks[uint64, engine.None]{Recover: asked.recover})
	dir := t.TempDir()
	run(t, p, dir)
	h.release()
	seen := asked.all()
	if len(seen) != 2 {
		t.Fatalf("%+v", seen)
	}
	for k, f := range seen {
		if f.Message == nil || f.Message.ID != "keyed.numbers:16" || f.Message.Key != "b" || !f.Abandoned || f.Attempt != k+1 || f.Message.Value != nil {
			t.Errorf("fault %d: %+v", k, f)
		}
	}
	if seen[1].State != 5 {
		t.Errorf("the state of the key was %d", seen[1].State)
	}
	if states := committedState[uint64](t, dir, "sink"); states["a"] != 10 || states["b"] != 1010 || states["c"] != 10 {
		t.Errorf("states %v", states)
	}
}

func TestIgnoredHangIsDropped(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("ignored")
	asked := &faults[struct{}]{answer: func(f engine.Fault[struct{}]) engine.Recovery[struct{}] { return f.Ignore() }}
	got := collect[uint64](t)
	engine.Sink(p.With(short()...), "sink", engine.Source(p, "numbers", count(20, 1)), func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 10 {
			h.hang()
			return nil
		}
		return skipping(got, 10)(ctx, s, m)
	}, engine.Hooks[struct{}, engine.None]{Recover: asked.recover})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "sink"); s.Dropped != 1 || s.DeadLetters != 0 || len(got.all()) != 19 || h.calls.Load() != 1 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
}

func TestTwoStagesHangAtOnce(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("two")
	numbers := engine.Source(p, "numbers", count(40, 1))
	first, second := collect[uint64](t), collect[uint64](t)
	for name, got := range map[string]*collected[uint64]{"first": first, "second": second} {
		engine.Sink(p.With(short()...), name, numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Value == 20 && m.Attempt == 1 {
				h.hang()
				return nil
			}
			return got.sink(ctx, s, m)
		})
	}
	status := run(t, p, t.TempDir())
	for _, name := range []string{"first", "second"} {
		if s := stageStatus(t, status, name); s.Abandoned != 1 || s.Epoch != 2 || s.In != 40 || s.DeadLetters != 0 {
			t.Errorf("%+v", s)
		}
	}
	if len(first.all()) != 40 || len(second.all()) != 40 {
		t.Errorf("%d and %d values", len(first.all()), len(second.all()))
	}
}

// Who still hangs at the end is named, with the group.
func TestHangingAtShutdownIsNamed(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("stubborn")
	back := p.Group("back", engine.Group{})
	inside := make(chan struct{})
	engine.Sink(back.With(engine.StopTimeout(10*time.Millisecond), fast), "sink", engine.Source(p, "numbers", count(10, 1)),
		func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 5 {
				close(inside)
				h.hang()
			}
			return nil
		})
	config := testConfig(t, t.TempDir())
	config.DrainTimeout = time.Millisecond
	b := runBeside(t, p, config)
	await(t, "the hang", inside)
	b.stop()
	err := b.end()
	var left *supervise.AbandonedError
	if !errors.As(err, &left) || !slices.Equal(left.Children, []string{"back/sink"}) {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "sink"); s.Abandoned != 1 {
		t.Errorf("%+v", s)
	}
}

// In a group that restarts together the siblings of an abandoned stage restart
// with it.
func TestHangingInAOneForAllGroup(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("together")
	group := p.Group("group", engine.Group{Strategy: supervise.OneForAll})
	numbers := engine.Source(p, "numbers", count(40, 1))
	same := engine.Stage(group.With(short()...), "same", engine.On(numbers, func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		*n++
		emit(m.Value)
		return nil
	}))
	got := collect[uint64](t)
	engine.Sink(group.With(short()...), "sink", same, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 20 && m.Attempt == 1 {
			h.hang()
			return nil
		}
		return got.sink(ctx, s, m)
	})
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.Abandoned != 1 || s.Epoch != 2 || s.Restarts != 1 {
		t.Errorf("sink: %+v", s)
	}
	if s := stageStatus(t, status, "same"); s.Abandoned != 0 || s.Epoch != 1 || s.Out != 40 {
		t.Errorf("same: %+v", s)
	}
	if s := stageStatus(t, status, "numbers"); s.Starts != 1 || len(got.all()) != 40 {
		t.Errorf("%d values, numbers: %+v", len(got.all()), s)
	}
	if n := committedState[int](t, dir, "same")[""]; n != 40 {
		t.Errorf("the state counts %d", n)
	}
}

func TestUnhealthyStageIsRestarted(t *testing.T) {
	t.Parallel()
	p := engine.New("health")
	end := make(chan struct{})
	var starts atomic.Int64
	var once sync.Once
	asked := &faults[struct{}]{}
	check := supervise.Check{Name: "cache", Interval: time.Millisecond, Threshold: 2, Probe: func(context.Context) supervise.Health {
		switch {
		case starts.Load() == 2:
			once.Do(func() { close(end) })
		case starts.Load() == 1 && len(asked.all()) == 0:
			return supervise.Unwell("cache lost")
		}
		return supervise.Well()
	}}
	engine.Sink(p.With(fast, engine.HealthChecks(check)), "sink", engine.Source(p, "numbers", countUntil(10, end)), ignore[struct{}, uint64],
		engine.Hooks[struct{}, engine.None]{
			Recover: asked.recover,
			Start:   func(context.Context, *struct{}, engine.Emit[engine.None]) error { starts.Add(1); return nil },
		})
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "sink"); s.Unhealthy != 1 || s.Restarts != 1 || s.Abandoned != 0 || s.In != 10 || s.DeadLetters != 0 || s.Health != "healthy" {
		t.Errorf("%+v", s)
	}
	seen := asked.all()
	if len(seen) != 1 || seen[0].Reason != supervise.Unhealthy || seen[0].Message != nil || !strings.Contains(seen[0].Err.Error(), `check "cache" failed 2 times: cache lost`) {
		t.Errorf("%+v", seen)
	}
}

func TestDegradedStageIsNotRestarted(t *testing.T) {
	t.Parallel()
	p := engine.New("degraded")
	end := make(chan struct{})
	probes := 0
	check := supervise.Check{Interval: time.Millisecond, Threshold: 1, Probe: func(context.Context) supervise.Health {
		if probes++; probes == 50 {
			close(end)
		}
		return supervise.Degraded("cache cold")
	}}
	engine.Sink(p.With(engine.HealthChecks(check)), "sink", engine.Source(p, "numbers", countUntil(10, end)), ignore[struct{}, uint64])
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("sink", "shows its health", func(s engine.StageStatus) bool { return s.Health == "degraded: cache cold" })
	if s := stageStatus(t, b.complete(), "sink"); s.Starts != 1 || s.Unhealthy != 0 || b.told("sink", supervise.HealthChanged) != 1 {
		t.Errorf("%+v", s)
	}
}

// A probe that fails itself is a failure of the check.
func TestProbeThatFails(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		fail    func(h *hangs)
		timeout time.Duration
		says    string
	}{
		"panic": {func(*hangs) { panic("probe broken") }, time.Minute, "probe broken"},
		"hang":  {func(h *hangs) { h.hang() }, 5 * time.Millisecond, "no answer within 5ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHangs(t)
			p := engine.New("probe")
			end := make(chan struct{})
			var starts atomic.Int64
			asked := &faults[struct{}]{}
			check := supervise.Check{Interval: time.Millisecond, Timeout: way.timeout, Threshold: 1, Probe: func(context.Context) supervise.Health {
				if starts.Load() == 1 {
					way.fail(h)
				}
				return supervise.Well()
			}}
			engine.Sink(p.With(fast, engine.HealthChecks(check)), "sink", engine.Source(p, "numbers", countUntil(10, end)), ignore[struct{}, uint64],
				engine.Hooks[struct{}, engine.None]{
					Recover: asked.recover,
					Start: func(context.Context, *struct{}, engine.Emit[engine.None]) error {
						if starts.Add(1) == 2 {
							close(end)
						}
						return nil
					},
				})
			status := run(t, p, t.TempDir())
			seen := asked.all()
			if s := stageStatus(t, status, "sink"); s.Unhealthy < 1 || s.In != 10 || len(seen) < 1 || !strings.Contains(seen[0].Err.Error(), way.says) {
				t.Errorf("%+v, %+v", seen, s)
			}
		})
	}
}
