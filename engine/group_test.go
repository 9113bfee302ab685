package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// lives are the events that begin and end a life, as "stopped sink".
type lives struct {
	mu     sync.Mutex
	events []supervise.Event
}

func (l *lives) add(e supervise.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// afterFault is what happened from the fault of that stage on, until all that
// must have been restarted were.
func (l *lives) afterFault(stage string, restarts int) (list []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := slices.IndexFunc(l.events, func(e supervise.Event) bool { return e.Child == stage && e.Kind == supervise.Failed })
	for _, e := range l.events[max(from, 0):] {
		switch e.Kind {
		case supervise.Failed, supervise.Stopped, supervise.Restarting, supervise.Starting:
			list = append(list, fmt.Sprint(e.Kind, " ", e.Child))
		}
		if e.Kind == supervise.Restarting {
			if restarts--; restarts == 0 {
				return list
			}
		}
	}
	return list
}

// first is when something of that kind happened to the stage for the first time.
func (l *lives) first(stage string, kind supervise.EventKind) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if e.Child == stage && e.Kind == kind {
			return e.Time
		}
	}
	return time.Time{}
}

// Ingester -> processor -> outputter; the processor panics. The strategy says
// who restarts with it, in which order, and no message is lost or doubled.
func TestStrategyRestartsStages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		strategy supervise.Strategy
		starts   [3]uint64
		want     []string
	}{
		{supervise.OneForOne, [3]uint64{1, 2, 1}, []string{"fault processor", "restarting processor"}},
		{supervise.RestForOne, [3]uint64{1, 2, 2}, []string{"fault processor", "stopped outputter",
			"restarting processor", "restarting outputter"}},
		{supervise.OneForAll, [3]uint64{2, 2, 2}, []string{"fault processor", "stopped outputter", "stopped ingester",
			"restarting ingester", "restarting processor", "restarting outputter"}},
	} {
		t.Run(c.strategy.String(), func(t *testing.T) {
			t.Parallel()
			const n = 100
			p := engine.New("strategy")
			device := p.Group("device", engine.Group{Strategy: c.strategy}).With(fast)
			var restarts int
			for _, starts := range c.starts {
				restarts += int(starts) - 1
			}
			log := &lives{}
			everybody := make(chan struct{}) // has been restarted who must
			numbers := engine.Source(device, "ingester", countThenWait(n, everybody))
			worked := engine.Stage(device, "processor", engine.On(numbers,
				func(_ context.Context, sum *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					*sum++
					emit(m.Value)
					if m.Value == n/2 && m.Attempt == 1 {
						panic("no")
					}
					return nil
				}))
			got := collect[uint64](t)
			engine.Sink(device, "outputter", worked, got.sink)
			config := testConfig(t, t.TempDir())
			left := restarts
			config.OnEvent = func(e supervise.Event) {
				log.add(e)
				if e.Kind != supervise.Restarting {
					return
				}
				if left--; left == 0 {
					checkUptimes(t, p, log, c.starts)
					close(everybody)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			if err := p.Run(ctx, config); err != nil {
				t.Fatal(err)
			}
			got.must(upTo(n))
			status := p.Status()
			for i, name := range []string{"ingester", "processor", "outputter"} {
				if s := stageStatus(t, status, name); s.Starts != c.starts[i] || s.Restarts != c.starts[i]-1 || s.Group != "device" || s.Uptime != 0 {
					t.Errorf("%s: %+v", name, s)
				}
			}
			if list := log.afterFault("processor", restarts); !slices.Equal(list, c.want) {
				t.Errorf("happened: %v", list)
			}
			if n := committedState[int](t, config.Dir, "processor")[""]; n != 100 {
				t.Errorf("the processor's state counts %d", n)
			}
		})
	}
}

// checkUptimes says whether who was restarted is younger than the failure, and
// who was not is as old as ever.
func checkUptimes(t *testing.T, p *engine.Pipeline, log *lives, starts [3]uint64) {
	before := time.Now()
	status := p.Status()
	after := time.Now()
	fault := log.first("processor", supervise.Failed)
	for i, name := range []string{"ingester", "processor", "outputter"} {
		s := stageStatus(t, status, name)
		if started := log.first(name, supervise.Starting); starts[i] == 1 && s.Uptime < before.Sub(started) {
			t.Errorf("%s is up for %v, and was started %v before", name, s.Uptime, before.Sub(started))
		}
		if starts[i] > 1 && (s.Uptime == 0 || s.Uptime > after.Sub(fault)) {
			t.Errorf("%s is up for %v, and was restarted after a fault %v before", name, s.Uptime, after.Sub(fault))
		}
	}
}

// A group that exceeds its limit fails as a whole. Its parent restarts it by
// its own strategy and limit, and so on up to the root.
func TestFailureClimbsTheGroups(t *testing.T) {
	t.Parallel()
	for _, failures := range []int{3, 1 << 30} {
		t.Run(fmt.Sprint(failures), func(t *testing.T) {
			t.Parallel()
			const n = 30
			dir := t.TempDir()
			got, beside := collect[uint64](t), collect[uint64](t)
			wire := func(failures int) *engine.Pipeline {
				once := engine.Group{Limit: supervise.Limit{Restarts: 1}, Backoff: supervise.Immediate()}
				p := engine.New("climb").Supervise(once)
				numbers := engine.Source(p, "numbers", count(n, 1))
				outer := once
				outer.Strategy = supervise.OneForAll
				back := p.With(fast, engine.Attempts(engine.Unlimited)).Group("back", outer)
				engine.Sink(back, "beside", numbers, beside.sink)
				inner := back.Group("inner", once)
				failed := 0
				engine.Sink(inner, "worker", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
					if m.Value == 7 && failed < failures {
						failed++
						panic("no")
					}
					return got.sink(ctx, s, m)
				})
				return p
			}
			p := wire(failures)
			config := testConfig(t, dir)
			log := &lives{}
			config.OnEvent = log.add
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			err := p.Run(ctx, config)
			if failures == 3 { // of the worker once, then of inner once, then of the worker once again
				if err != nil {
					t.Fatal(err)
				}
				mustHaveStarted(t, p.Status(), map[string]uint64{"numbers": 1, "worker": 4})
			} else {
				mustBeLimits(t, err, [][2]string{{"", "back"}, {"back", "inner"}, {"back/inner", "worker"}})
				mustHaveStarted(t, p.Status(), map[string]uint64{"worker": 8})
				run(t, wire(0), dir)
			}
			mustHaveGroups(t, p.Status(), log, failures == 3)
			got.must(upTo(n))
			beside.must(upTo(n))
		})
	}
}

func mustHaveStarted(t *testing.T, status observe.Status, want map[string]uint64) {
	t.Helper()
	for name, starts := range want {
		if s := stageStatus(t, status, name); s.Starts != starts || s.DeadLetters != 0 {
			t.Errorf("%s was started %d times, not %d: %+v", name, s.Starts, starts, s)
		}
	}
}

// mustBeLimits says whether these groups exceeded their limits because of these
// children, one because of the next, and at the bottom a panic.
func mustBeLimits(t *testing.T, err error, want [][2]string) {
	t.Helper()
	cause := err
	for _, step := range want {
		var limit *supervise.LimitError
		if !errors.As(cause, &limit) || limit.Group != step[0] || limit.Child != step[1] {
			t.Fatalf("no limit of group %q because of %s in: %v", step[0], step[1], err)
		}
		cause = limit.Cause
	}
	var panicked *supervise.PanicError
	if !errors.As(cause, &panicked) {
		t.Errorf("no panic in: %v", err)
	}
}

// mustHaveGroups says whether the Status knows the two groups, and that the
// inner one was restarted: by its parent once in each of the parent's lives.
func mustHaveGroups(t *testing.T, status observe.Status, log *lives, completed bool) {
	t.Helper()
	want := map[string]uint64{"back": 1, "inner": 2}
	if completed {
		want = map[string]uint64{"back": 0, "inner": 1}
	}
	if len(status.Groups) != 2 || status.Groups[0].Name != "back" || status.Groups[0].Strategy != "one_for_all" ||
		status.Groups[1].Name != "inner" || status.Groups[1].Group != "back" {
		t.Fatalf("groups %+v", status.Groups)
	}
	for _, g := range status.Groups {
		seen := uint64(0)
		for _, e := range log.events {
			if e.Child == g.Name && e.Kind == supervise.Restarting {
				seen++
			}
		}
		if seen != want[g.Name] {
			t.Errorf("%s was restarted %d times, not %d", g.Name, seen, want[g.Name])
		}
	}
}

// A temporary stage is given up also when it had to stop for a sibling.
func TestTemporarySiblingIsGivenUp(t *testing.T) {
	t.Parallel()
	const n = 40
	dir := t.TempDir()
	got, beside := collect[uint64](t), collect[uint64](t)
	wire := func(policy supervise.Policy) *engine.Pipeline {
		p := engine.New("sibling")
		both := p.Group("both", engine.Group{Strategy: supervise.OneForAll})
		numbers := engine.Source(p, "numbers", count(n, 1))
		engine.Sink(both.With(engine.RestartPolicy(policy)), "temporary", numbers,
			func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
				if m.Value == n-1 && policy == supervise.Temporary { // it cannot end before
					<-ctx.Done()
					return ctx.Err()
				}
				return beside.sink(ctx, s, m)
			})
		engine.Sink(both.With(fast), "worker", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Value == 7 && m.Attempt == 1 {
				panic("no")
			}
			return got.sink(ctx, s, m)
		})
		return p
	}
	mustGiveUp(t, runFailing(t, wire(supervise.Temporary), dir), "temporary")
	got.must(upTo(n))
	run(t, wire(supervise.Transient), dir)
	beside.must(upTo(n))
}
