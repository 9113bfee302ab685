package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/engine"
	"penstock/engine/breaker"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/natsserver"
	"penstock/tests/loopback"
)

// What only waits is no failure: with a single attempt every message takes
// effect, and is told that it is its first.
func TestWaitingCountsNoAttempt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  func(call int) error // of the call at message 5
		calls   int                  // at least
		options []engine.Option
	}{
		"snooze":       {func(int) error { return engine.Snooze(time.Millisecond) }, 5, nil},
		"hold":         {func(int) error { return engine.Hold }, 1, nil},
		"unavailable":  {func(int) error { return engine.Unavailable(errDown) }, 5, nil},
		"open breaker": {func(int) error { return engine.Unavailable(errDown) }, 5, []engine.Option{engine.CircuitBreaker(breaker.Config{Failures: 2, Open: time.Millisecond})}},
	} {
		for way, delay := range map[string][]engine.Option{"": nil, ", going on": {engine.AttemptDelay(supervise.Immediate())}} {
			t.Run(name+way, func(t *testing.T) {
				t.Parallel()
				calls := 0
				p := engine.New("waiting")
				numbers := engine.Source(p, "numbers", count(20, 3))
				waits := make(chan struct{})
				ticks := engine.Source(p, "ticks", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
					select { // it releases what is held
					case <-waits:
					case <-ctx.Done():
						return ctx.Err()
					}
					return count(10, 1)(ctx, at, emit)
				})
				options := append([]engine.Option{fast, engine.Attempts(1)}, append(delay, c.options...)...)
				out := engine.Stage(p.With(options...), "worker",
					engine.On(numbers, func(_ context.Context, s *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
						if m.Attempt != 1 {
							t.Errorf("attempt %d of %d", m.Attempt, m.Value)
						}
						*s++
						emit(m.Value)
						if m.Value == 5 && calls < c.calls {
							if calls++; calls == c.calls {
								close(waits)
							}
							return c.answer(calls)
						}
						return nil
					}),
					engine.On(ticks, func(context.Context, *uint64, engine.Message[uint64], engine.Emit[uint64]) error { return nil }))
				got := collect[uint64](t)
				engine.Sink(p, "sink", out, got.sink)
				dir := t.TempDir()
				s := stageStatus(t, run(t, p, dir), "worker")
				if s.DeadLetters+s.Dropped+s.Errors+s.Panics > 0 || s.Starts != 1 || calls != c.calls {
					t.Errorf("%d calls, %+v", calls, s)
				}
				got.must(upTo(20))
				if done := committedState[uint64](t, dir, "worker")[""]; done != 20 {
					t.Errorf("%d messages took effect", done)
				}
			})
		}
	}
}

// A call that the end of its life interrupts has not failed, however it ends.
func TestInterruptionCountsNoAttempt(t *testing.T) {
	t.Parallel()
	ends := map[string]func(context.Context) error{
		"its context's error": func(ctx context.Context) error { return ctx.Err() },
		"an error":            func(context.Context) error { return errors.New("cut off") },
		"a panic":             func(context.Context) error { panic("cut off") },
	}
	interruptions := map[string]func(t *testing.T, b *besides){
		"drain": func(_ *testing.T, b *besides) { b.stop() },
		"operator": func(t *testing.T, b *besides) {
			if err := b.p.RestartStage(t.Context(), "worker"); err != nil {
				t.Error(err)
			}
		},
		"sibling": nil,
	}
	for interruption, interrupt := range interruptions {
		for name, end := range ends {
			t.Run(interruption+", "+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				inside := make(chan struct{})
				var attempts []int
				got := collect[uint64](t)
				wire := func() *engine.Pipeline {
					p := engine.New("interrupted")
					numbers := engine.Source(p, "numbers", count(20, 3))
					group := p.Group("both", engine.Group{Strategy: supervise.OneForAll}).With(fast, engine.Attempts(1))
					engine.Sink(group, "worker", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
						if m.Value == 5 {
							if attempts = append(attempts, m.Attempt); len(attempts) == 1 {
								close(inside)
								<-ctx.Done()
								return end(ctx)
							}
						}
						return got.sink(ctx, s, m)
					})
					engine.Sink(group.With(engine.Attempts(2)), "sibling", numbers, func(ctx context.Context, _ *struct{}, m engine.Message[uint64]) error {
						if interruption == "sibling" && m.Value == 19 && m.Attempt == 1 {
							<-inside
							return errPoison
						}
						return nil
					})
					return p
				}
				config := testConfig(t, dir)
				config.DrainTimeout = time.Millisecond
				b := runBeside(t, wire(), config)
				await(t, "the call", inside)
				if interrupt != nil {
					interrupt(t, b)
				}
				if err := b.end(); err != nil {
					t.Fatal(err)
				}
				status := b.p.Status()
				if interruption == "drain" {
					if status.Completed {
						t.Fatal("the drain did not interrupt")
					}
					status = run(t, wire(), dir)
				}
				if s := stageStatus(t, status, "worker"); s.DeadLetters > 0 || fmt.Sprint(attempts) != "[1 1]" {
					t.Errorf("attempts %v, %+v", attempts, s)
				}
				got.must(upTo(20))
			})
		}
	}
}

// A full channel, and a broker that is away, keep messages waiting.
func TestFullChannelCountsNoAttempt(t *testing.T) {
	t.Parallel()
	p := engine.New("pressure")
	numbers := engine.Source(p, "numbers", count(100, 10))
	out := engine.Stage(p.With(engine.Attempts(1)), "worker", engine.On(numbers, pass)).WithCapacity(oneByOne)
	got := collect[uint64](t)
	full := make(chan struct{})
	engine.Sink(p, "sink", out, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value == 0 {
			<-full
		}
		return got.sink(ctx, s, m)
	})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("numbers", "has written all", func(s observe.StageStatus) bool { return s.Out == 100 })
	b.until("worker", "fills its channel", func(s observe.StageStatus) bool { return s.Out == 1 })
	close(full)
	if s := stageStatus(t, b.complete(), "worker"); s.DeadLetters+s.Errors+s.Panics > 0 || s.Starts != 1 {
		t.Errorf("%+v", s)
	}
	got.must(upTo(100))
}

func TestLostBrokerCountsNoAttempt(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t, func(o *server.Options) { o.Port, o.SyncAlways = loopback.ForTest(t), true })
	p := engine.New("away")
	numbers := engine.Source(p, "numbers", count(50, 5))
	got := collect[uint64](t)
	away, back := make(chan struct{}), make(chan struct{})
	gone := false
	out := engine.Stage(p.With(fast, engine.Attempts(1)), "worker", engine.On(numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			emit(m.Value)
			if m.Value == 10 && !gone {
				gone = true
				close(away)
				<-back // the commit, and the letter of 11, find nobody
			}
			if m.Value == 11 {
				return engine.Reject(errPoison)
			}
			return nil
		}))
	engine.Sink(p.With(engine.Attempts(1)), "sink", out, got.sink)
	tracer := &tracer{}
	config := testConfig(t, t.TempDir())
	config.NATS.URL, config.Tracer = s.ClientURL(), tracer
	b := runBeside(t, p, config)
	await(t, "message 10", away)
	s.Stop()
	close(back)
	<-time.After(300 * time.Millisecond) // the commit is refused for a while
	s.Again()
	status := b.complete()
	if s := stageStatus(t, status, "worker"); s.DeadLetters != 1 || s.DeadLettersBy["rejected"] != 1 || s.Starts != 1 {
		t.Errorf("%+v", s)
	}
	got.must(without(50, 11))
	for _, stage := range status.Stages {
		tracer.once(t, stage) // also of a commit that was sent twice
	}
}
