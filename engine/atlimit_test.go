package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// limited has a worker that fails at some numbers, and says which it took and
// what it was tried with.
type limited struct {
	poison map[uint64]func() error
	tries  map[uint64][]int
	got    *collected[uint64]
	count  uint64
}

func newLimited(t *testing.T, poison map[uint64]func() error) *limited {
	return &limited{poison: poison, tries: map[uint64][]int{}, got: collect[uint64](t), count: 30}
}

func (l *limited) wire(in func(*engine.Pipeline) engine.Scope, options ...engine.Option) *engine.Pipeline {
	p := engine.New("limited")
	numbers := engine.Source(p, "numbers", count(l.count, 7))
	scope := engine.Scope(p)
	if in != nil {
		scope = in(p)
	}
	out := engine.Stage(scope.With(append([]engine.Option{fast}, options...)...), "worker", engine.On(numbers,
		func(_ context.Context, done *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*done++
			emit(m.Value)
			if fail := l.poison[m.Value]; fail != nil {
				l.tries[m.Value] = append(l.tries[m.Value], m.Attempt)
				return fail()
			}
			return nil
		}))
	engine.Sink(p, "sink", out, l.got.sink)
	return p
}

// without is 0 to n-1, but for some.
func without(n uint64, left ...uint64) (list []uint64) {
	for v := range n {
		if !slices.Contains(left, v) {
			list = append(list, v)
		}
	}
	return list
}

// everyWay is with a restart after each attempt, and without.
func everyWay(t *testing.T, test func(t *testing.T, way engine.Option)) {
	for name, way := range map[string]engine.Option{
		"restarting": engine.Attempts(3), "going on": engine.AttemptDelay(supervise.Immediate()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, way)
		})
	}
}

func TestDropAtTheLimit(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, way engine.Option) {
		fails := func() error { return errPoison }
		l := newLimited(t, map[uint64]func() error{
			4: fails, 5: fails, 20: func() error { panic("poison") }, 25: func() error { return engine.Reject(errPoison) },
		})
		dir := t.TempDir()
		log := &logged{}
		config := testConfig(t, dir)
		config.Logger = log.logger()
		b := runBeside(t, l.wire(nil, way, engine.AtLimit(engine.DropMessage)), config)
		s := stageStatus(t, b.complete(), "worker")
		if s.Dropped != 3 || s.DeadLetters != 1 || s.In != 30 || s.Out != 26 || s.DeadLettersBy["rejected"] != 1 {
			t.Errorf("%+v", s)
		}
		if want := "map[4:[1 2 3] 5:[1 2 3] 20:[1 2 3] 25:[1]]"; fmt.Sprint(l.tries) != want {
			t.Errorf("tries %v, want %s", l.tries, want)
		}
		l.got.must(without(30, 4, 5, 20, 25))
		if done := committedState[uint64](t, dir, "worker")[""]; done != 26 {
			t.Errorf("%d messages took effect", done)
		}
		if letters := lettersIn(t, dir, "limited"); len(letters) != 1 || letters[0].Offset != 25 || letters[0].Reason != dlq.ReasonRejected {
			t.Errorf("%+v", letters)
		}
		if n := strings.Count(log.String(), `msg="a message was dropped"`); n != 3 || !strings.Contains(log.String(), "message=numbers.0:20 attempts=3") {
			t.Errorf("%d drops in\n%s", n, log)
		}
	})
}

// The stage is given up, the others end as far as they can, and the next run
// tries the message with all its attempts.
func TestStopAtTheLimit(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, way engine.Option) {
		broken := true
		l := newLimited(t, map[uint64]func() error{
			10: func() error { return engine.Reject(errPoison) },
			12: func() error {
				if broken {
					return errPoison
				}
				return nil
			},
		})
		dir := t.TempDir()
		for round := 1; round <= 3; round++ {
			p := l.wire(nil, way, engine.AtLimit(engine.StopStage))
			if round == 3 {
				broken = false
				run(t, p, dir)
				break
			}
			err := runFailing(t, p, dir)
			mustGiveUp(t, err, "worker")
			var limit *engine.AtLimitError
			if !errors.As(err, &limit) || limit.Stage != "worker" || limit.Message != "numbers.0:12" || limit.Attempts != 3 || limit.Reason != "poison" {
				t.Errorf("error %v, %+v", err, limit)
			}
			if text := err.Error(); !strings.Contains(text, "numbers.0:12") || !strings.Contains(text, "3 attempts") || !strings.Contains(text, "poison") {
				t.Errorf("error %q", text)
			}
			if s := stageStatus(t, p.Status(), "worker"); s.State != "given up" || s.In != 12 || s.DeadLetters != 1 || s.Dropped != 0 {
				t.Errorf("round %d: %+v", round, s)
			}
			l.got.must(without(12, 10))
		}
		if got := fmt.Sprint(l.tries[12]); got != "[1 2 3 1 2 3 1]" {
			t.Errorf("tries %v", got)
		}
		l.got.must(without(30, 10))
		if letters := lettersIn(t, dir, "limited"); len(letters) != 1 || letters[0].Offset != 10 {
			t.Errorf("%+v", letters)
		}
	})
}

// An operator may start the stage again in the same run.
func TestStartAfterTheLimit(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, way engine.Option) {
		broken := true
		l := newLimited(t, map[uint64]func() error{12: func() error {
			if broken {
				return errPoison
			}
			return nil
		}})
		p := l.wire(nil, way, engine.AtLimit(engine.StopStage))
		hold := make(chan struct{}) // keeps the run from its end
		engine.Sink(p, "nobody", engine.Source(p, "idle", countUntil(0, hold)), ignore[struct{}, uint64])
		b := runBeside(t, p, testConfig(t, t.TempDir()))
		b.until("worker", "was given up", func(s observe.StageStatus) bool { return s.State == "given up" })
		broken = false
		if err := p.StartStage(t.Context(), "worker"); err != nil {
			t.Fatal(err)
		}
		close(hold)
		b.complete()
		l.got.must(upTo(30))
		if got := fmt.Sprint(l.tries[12]); got != "[1 2 3 1]" {
			t.Errorf("tries %v", got)
		}
	})
}

// The stage's group fails, and is restarted by its parent, as often as the
// parent's limit allows; nothing is lost.
func TestEscalateAtTheLimit(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, way engine.Option) {
		for _, failures := range []int{3, 1 << 30} {
			failed := 0
			l := newLimited(t, map[uint64]func() error{
				10: func() error { return engine.Reject(errPoison) },
				12: func() error {
					if failed++; failed <= failures {
						return errPoison
					}
					return nil
				},
			})
			group := func(p *engine.Pipeline) engine.Scope {
				p.Supervise(engine.Group{Limit: supervise.Limit{Restarts: 2}, Backoff: supervise.Immediate()})
				return p.Group("back", engine.Group{})
			}
			dir := t.TempDir()
			p := l.wire(group, way, engine.AtLimit(engine.EscalateStage))
			if failures == 3 { // of the first life of the group
				status := run(t, p, dir)
				if len(status.Groups) != 1 || status.Groups[0].Restarts > 1 {
					t.Errorf("%+v", status.Groups)
				}
				if got := fmt.Sprint(l.tries[12]); got != "[1 2 3 1]" {
					t.Errorf("tries %v", got)
				}
				l.got.must(without(30, 10))
				continue
			}
			err := runFailing(t, p, dir)
			var limit *engine.AtLimitError
			var restarts *supervise.LimitError
			if !errors.As(err, &limit) || limit.Message != "numbers.0:12" || !errors.As(err, &restarts) || restarts.Child != "back" {
				t.Errorf("error %v", err)
			}
			if got := fmt.Sprint(l.tries[12]); got != "[1 2 3 1 2 3 1 2 3]" {
				t.Errorf("tries %v", got)
			}
			failures = 0
			delete(l.poison, 12)
			run(t, l.wire(group, way, engine.AtLimit(engine.EscalateStage)), dir)
			l.got.must(without(30, 10))
		}
	})
}

// Without a group it is the pipeline that fails.
func TestEscalateAtTheLimitWithoutAGroup(t *testing.T) {
	t.Parallel()
	l := newLimited(t, map[uint64]func() error{12: func() error { return errPoison }})
	dir := t.TempDir()
	err := runFailing(t, l.wire(nil, engine.AtLimit(engine.EscalateStage)), dir)
	var limit *engine.AtLimitError
	if !errors.As(err, &limit) || limit.Attempts != 3 {
		t.Errorf("error %v", err)
	}
	l.poison = nil
	run(t, l.wire(nil), dir)
	l.got.must(upTo(30))
}
