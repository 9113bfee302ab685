package engine_test

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// Policies times ways to end, for a stage in the middle, at message 5 of 20.
func TestRestartPolicies(t *testing.T) {
	t.Parallel()
	const n, at = 20, 5
	for name, end := range map[string]func(ctx context.Context) error{
		"EOF":   func(context.Context) error { return io.EOF },
		"error": func(context.Context) error { return errors.New("no") },
		"panic": func(context.Context) error { panic("no") },
		"deadline": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		for _, policy := range []supervise.Policy{supervise.Transient, supervise.Permanent, supervise.Temporary} {
			t.Run(policy.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				got, other := collect[uint64](t), collect[uint64](t)
				wire := func(policy supervise.Policy) *engine.Pipeline {
					p := engine.New("policy")
					numbers := engine.Source(p, "numbers", count(n, 1))
					engine.Sink(p, "other", numbers, other.sink)
					scope := p.With(fast, engine.RestartPolicy(policy))
					if name == "deadline" {
						scope = scope.With(engine.Deadline(100*time.Millisecond), engine.RestartLimit(-1, 0))
					}
					out := engine.Stage(scope, "worker", engine.On(numbers,
						func(ctx context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
							emit(m.Value)
							if m.Value == at && m.Attempt == 1 {
								return end(ctx)
							}
							return nil
						}))
					engine.Sink(p, "sink", out, got.sink)
					return p
				}
				p := wire(policy)
				switch {
				case policy == supervise.Temporary && name != "EOF":
					mustGiveUp(t, runFailing(t, p, dir), "worker")
					if seen := len(got.all()); seen > at {
						t.Errorf("%d messages came through", seen)
					}
					other.must(upTo(n)) // the rest has drained
					if s := stageStatus(t, p.Status(), "worker"); s.State != "given up" || s.Restarts != 0 || s.Starts != 1 {
						t.Errorf("worker: %+v", s)
					}
					run(t, wire(supervise.Transient), dir)
					got.must(upTo(n))
				case policy != supervise.Permanent && name == "EOF":
					status := run(t, p, dir)
					got.must(upTo(at + 1))
					if s := stageStatus(t, status, "worker"); s.Starts != 1 || s.In != at+1 {
						t.Errorf("worker: %+v", s)
					}
				default:
					status := run(t, p, dir)
					got.must(upTo(n))
					if s := stageStatus(t, status, "worker"); s.Starts < 2 || s.Starts > 2 && name != "deadline" || s.DeadLetters != 0 {
						t.Errorf("worker: %+v", s)
					}
				}
				other.must(upTo(n))
			})
		}
	}
}

// mustGiveUp says whether these stages, and no others, were given up.
func mustGiveUp(t *testing.T, err error, stages ...string) {
	t.Helper()
	var e *engine.GivenUpError
	if !errors.As(err, &e) || len(e.Stages) != len(stages) || len(e.Causes) != len(stages) {
		t.Fatalf("error %v", err)
	}
	for k, stage := range stages {
		if e.Stages[k] != stage || e.Causes[k] == nil {
			t.Errorf("given up: %v", err)
		}
	}
}

// A permanent processor that answers io.EOF at its very last message ends too.
func TestPermanentStageEndsWithItsInput(t *testing.T) {
	t.Parallel()
	p := engine.New("last")
	numbers := engine.Source(p, "numbers", count(20, 1))
	got := collect[uint64](t)
	engine.Sink(p.With(fast, engine.RestartPolicy(supervise.Permanent), engine.RestartLimit(-1, 0)), "sink", numbers,
		func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			_ = got.sink(ctx, s, m)
			return io.EOF
		})
	status := run(t, p, t.TempDir())
	got.must(upTo(20))
	if s := stageStatus(t, status, "sink"); s.Starts < 20 || s.Errors+s.Panics > 0 {
		t.Errorf("sink: %+v", s)
	}
}

// A stage that was given up leaves those before it with full channels and those
// behind it with nothing to come. The run ends all the same.
func TestRunEndsWhenAGivenUpStageHoldsUpTheOthers(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]engine.Capacity{"messages": {Messages: 3}, "bytes": {Bytes: 3000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := uint64(math.MaxUint64)
			dir := t.TempDir()
			got := collect[uint64](t)
			wire := func(policy supervise.Policy) *engine.Pipeline {
				p := engine.New("full")
				numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
					if at.Next >= n {
						return io.EOF
					}
					emit(at.Next)
					at.Next++
					return nil
				}).WithCapacity(bound)
				relayed := engine.Stage(p, "relay", engine.On(numbers, pass)).WithCapacity(bound)
				out := engine.Stage(p.With(fast, engine.RestartPolicy(policy)), "middle", engine.On(relayed,
					func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
						if m.Value == 5 && m.Attempt == 1 {
							panic("no")
						}
						emit(m.Value)
						return nil
					}))
				engine.Sink(p, "sink", out, got.sink)
				return p
			}
			p := wire(supervise.Temporary)
			mustGiveUp(t, runFailing(t, p, dir), "middle")
			if seen := len(got.all()); seen > 5 {
				t.Errorf("%d messages came through", seen)
			}
			n = stageStatus(t, p.Status(), "numbers").Out + 100
			run(t, wire(supervise.Transient), dir)
			got.must(upTo(n))
		})
	}
}

// An operator starts a stage that was given up, and everything completes.
func TestOperatorStartsAStageThatWasGivenUp(t *testing.T) {
	t.Parallel()
	const n = 50
	p := engine.New("operator")
	revived := make(chan struct{})
	numbers := engine.Source(p, "numbers", countThenWait(n, revived))
	got := collect[uint64](t)
	out := engine.Stage(p.With(engine.RestartPolicy(supervise.Temporary)), "middle", engine.On(numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if m.Value == 5 && m.Attempt == 1 {
				panic("no")
			}
			emit(m.Value)
			return nil
		}))
	engine.Sink(p, "sink", out, got.sink)
	config := testConfig(t, t.TempDir())
	started := make(chan error, 1)
	config.OnEvent = func(e supervise.Event) {
		if e.Kind == supervise.GivenUp {
			go func() {
				started <- p.StartStage(t.Context(), "middle")
				close(revived)
			}()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Error(err)
	}
	got.must(upTo(n))
	if status := p.Status(); !status.Completed || stageStatus(t, status, "middle").Starts != 2 {
		t.Errorf("%+v", status)
	}
}

// countThenWait emits 0 to n-1, and ends when it may.
func countThenWait(n uint64, may <-chan struct{}) engine.SourceFunc[Place, uint64] {
	return func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next < n {
			return count(n, 1)(ctx, at, emit)
		}
		select {
		case <-may:
			return io.EOF
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
