package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

func TestOperateErrors(t *testing.T) {
	t.Parallel()
	p := engine.New("errors")
	end := make(chan struct{})
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(1, end)), ignore[struct{}, uint64])
	commands := map[string]func(context.Context, string) error{
		"restart": p.RestartStage, "stop": p.StopStage, "start": p.StartStage,
	}
	for verb, command := range commands {
		if err := command(t.Context(), "sink"); err == nil || !strings.Contains(err.Error(), "pipeline errors is not running") {
			t.Errorf("%s before the run: %v", verb, err)
		}
	}
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("sink", "runs", func(s observe.StageStatus) bool { return s.State == "running" })
	for verb, command := range commands {
		if err := command(t.Context(), "nobody"); !errors.Is(err, supervise.ErrNoChild) || !strings.Contains(err.Error(), verb+" stage nobody") {
			t.Errorf("%s of nobody: %v", verb, err)
		}
	}
	close(end)
	b.complete()
	for verb, command := range commands {
		if err := command(t.Context(), "sink"); err == nil {
			t.Errorf("%s after the run", verb)
		}
	}
}

// A stopped stage takes nothing, its messages wait, and it goes on with them.
func TestStoppedStageKeepsItsMessages(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{"stage": "middle", "group": "group", "path": "group/middle"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("stopped")
			end := make(chan struct{})
			group := p.Group("group", engine.Group{})
			middle := engine.Stage(group, "middle", engine.On(engine.Source(p, "numbers", countUntil(500, end)),
				func(_ context.Context, n *int, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					*n++
					emit(m.Value)
					return nil
				}))
			got := collect[uint64](t)
			engine.Sink(p, "sink", middle, got.sink)
			dir := t.TempDir()
			b := runBeside(t, p, testConfig(t, dir))
			b.until("middle", "runs", func(s observe.StageStatus) bool { return s.In > 0 && s.State == "running" })
			if err := p.StopStage(t.Context(), target); err != nil {
				t.Fatal(err)
			}
			down := stageStatus(t, p.Status(), "middle")
			if down.State != "stopped" || down.Uptime < 0 {
				t.Errorf("%+v", down)
			}
			close(end)
			b.until("numbers", "ends", func(s observe.StageStatus) bool { return s.Ended })
			if s := stageStatus(t, p.Status(), "middle"); s.Starts != down.Starts || s.In > down.In+1000 {
				t.Errorf("%+v", s)
			}
			select {
			case err := <-b.done:
				t.Fatalf("the run ended: %v", err)
			default:
			}
			if err := p.StopStage(t.Context(), target); err != nil { // twice is once
				t.Error(err)
			}
			if err := p.StartStage(t.Context(), target); err != nil {
				t.Fatal(err)
			}
			status := b.complete()
			if s := stageStatus(t, status, "middle"); s.Starts != 2 || s.Errors+s.Panics != 0 || len(got.all()) != 500 {
				t.Errorf("%d values, %+v", len(got.all()), s)
			}
			if n := committedState[int](t, dir, "middle")[""]; n != 500 {
				t.Errorf("the state counts %d", n)
			}
		})
	}
}

// No limit counts what an operator asks for, and nothing is lost by it.
func TestRestartStageAsOftenAsOneLikes(t *testing.T) {
	t.Parallel()
	p := engine.New("often")
	end := make(chan struct{})
	group := p.Group("group", engine.Group{Limit: supervise.Limit{Restarts: 1}})
	numbers := engine.Source(group, "numbers", countUntil(2000, end))
	got := collect[uint64](t)
	engine.Sink(group.With(engine.RestartLimit(1, time.Hour)), "sink", numbers, got.sink)
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("sink", "runs", func(s observe.StageStatus) bool { return s.State == "running" })
	for range 5 {
		for _, name := range []string{"sink", "numbers", "group"} {
			if err := p.RestartStage(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			b.until("sink", "runs again", func(s observe.StageStatus) bool { return s.State == "running" })
		}
	}
	close(end)
	status := b.complete()
	s := stageStatus(t, status, "sink")
	if s.Starts != 11 || s.Errors != 0 || s.DeadLetters != 0 || len(got.all()) != 2000 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
	if n := b.told("group", supervise.Restarting); n != 5 {
		t.Errorf("the group was restarted %d times", n)
	}
}

// One that was given up is started by an operator and goes on.
func TestStartOfAStageThatWasGivenUp(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]func(p *engine.Pipeline, ctx context.Context, name string) error{
		"start": (*engine.Pipeline).StartStage, "restart": (*engine.Pipeline).RestartStage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("givenup")
			end := make(chan struct{})
			got := collect[uint64](t)
			broken := true
			engine.Sink(p.With(engine.RestartPolicy(supervise.Temporary)), "sink", engine.Source(p, "numbers", countUntil(100, end)),
				func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
					if broken && m.Value == 50 {
						broken = false
						return errors.New("broken")
					}
					return got.sink(ctx, s, m)
				})
			b := runBeside(t, p, testConfig(t, t.TempDir()))
			b.until("sink", "was given up", func(s observe.StageStatus) bool { return s.State == "given up" })
			if err := command(p, t.Context(), "sink"); err != nil {
				t.Fatal(err)
			}
			close(end)
			if s := stageStatus(t, b.complete(), "sink"); s.Starts != 2 || s.Restarts != 1 || len(got.all()) != 100 {
				t.Errorf("%d values, %+v", len(got.all()), s)
			}
		})
	}
}

// A stage that an operator has stopped does not keep a drain from its end.
func TestDrainDoesNotWaitForAStoppedStage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	wire := func(until uint64) *engine.Pipeline {
		p := engine.New("drain")
		numbers := count(300, 1)
		source := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			if at.Next == until {
				<-ctx.Done()
				return ctx.Err()
			}
			return numbers(ctx, at, emit)
		})
		same := engine.Stage(p, "same", engine.On(source,
			func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				emit(m.Value)
				return nil
			}))
		engine.Sink(p, "sink", same, got.sink)
		return p
	}
	p := wire(100)
	config := testConfig(t, dir)
	config.DrainTimeout = 40 * time.Second
	b := runBeside(t, p, config)
	b.until("same", "runs", func(s observe.StageStatus) bool { return s.State == "running" })
	if err := p.StopStage(t.Context(), "same"); err != nil {
		t.Fatal(err)
	}
	b.stop()
	stopped := time.Now()
	if err := b.end(); err != nil {
		t.Errorf("error %v", err)
	}
	if took := time.Since(stopped); took > config.DrainTimeout/2 {
		t.Errorf("the drain took %v", took)
	}
	run(t, wire(1000), dir)
	if len(got.all()) != 300 {
		t.Errorf("%d values", len(got.all()))
	}
}
