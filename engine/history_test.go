package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/observe"
)

// inspectHistory reads the events in a directory that is not in use.
func inspectHistory(t *testing.T, dir, stage string) ([]observe.StageEvent, error) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := inspector.Close(); err != nil {
			t.Error(err)
		}
	}()
	return inspector.History(stage)
}

func kinds(events []observe.StageEvent) string {
	var list []string
	for _, e := range events {
		list = append(list, e.Kind)
	}
	return strings.Join(list, ", ")
}

// What happened to a stage is told in order, with the stack of a panic, also
// after the process has ended; the next one goes on counting.
func TestHistorySurvivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := bounded(t)
	defer stop()
	inRun := make(chan []observe.StageEvent, 1)
	wire := func(first bool) *engine.Pipeline {
		p := engine.New("history")
		engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(10, 1)),
			func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
				switch {
				case m.Value == 3 && m.Attempt == 1:
					panic("three")
				case m.Value == 3 && m.Attempt == 2:
					return errors.New("three again")
				case m.Value == 5 && first:
					events, err := p.History("sink")
					if err != nil {
						t.Error(err)
					}
					select {
					case inRun <- events:
					default:
					}
					stop()
					return engine.Snooze(time.Hour)
				}
				return nil
			})
		return p
	}
	if err := wire(true).Run(ctx, testConfig(t, dir)); err != nil {
		t.Fatal(err)
	}
	events := <-inRun
	const life = "starting, running, fault, backing off, restarting, running, fault, backing off, restarting"
	if got := kinds(events); !strings.HasPrefix(got, life) {
		t.Fatalf("in the run: %s", got)
	}
	for k, e := range events {
		if e.Number != uint64(k+1) || e.Stage != "sink" || e.Time.IsZero() || k > 0 && e.Time.Before(events[k-1].Time) {
			t.Errorf("event %d: %+v", k, e)
		}
	}
	panicked, failed, backing := events[2], events[6], events[7]
	if panicked.Reason != "panic" || !strings.Contains(panicked.Error, "three") || !strings.Contains(panicked.Stack, "history_test.go") {
		t.Errorf("the panic: %+v", panicked)
	}
	if failed.Reason != "error" || !strings.Contains(failed.Error, "message numbers.0:3, attempt 2 of 3: three again") || failed.Stack != "" {
		t.Errorf("the error: %+v", failed)
	}
	if backing.Restart != 2 || backing.Delay <= 0 || backing.Stack != "" {
		t.Errorf("the delay: %+v", backing)
	}
	between, err := inspectHistory(t, dir, "sink")
	if err != nil || len(between) < len(events) || between[0].Stack != events[0].Stack || kinds(between[:len(events)]) != kinds(events) {
		t.Errorf("between the runs: %s, %v", kinds(between), err)
	}
	run(t, wire(false), dir)
	after, err := inspectHistory(t, dir, "sink")
	if err != nil || len(after) <= len(between) || after[len(after)-1].Number != uint64(len(after)) || kinds(after[:len(between)]) != kinds(between) {
		t.Errorf("after the second run: %s, %v", kinds(after), err)
	}
	if got := kinds(after[len(between):]); got != "starting, running, stopped" {
		t.Errorf("the second run: %s", got)
	}
}

func TestHistoryKeepsTheNewest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := engine.New("ring")
	engine.Sink(p.With(fast, engine.Attempts(2)), "sink", engine.Source(p, "numbers", count(40, 1)),
		func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			panic(strings.Repeat("x", 20_000))
		})
	b := runBeside(t, p, testConfig(t, dir))
	b.complete()
	told := 0
	for _, e := range b.events {
		if e.Child == "sink" {
			told++
		}
	}
	events, err := inspectHistory(t, dir, "sink")
	if err != nil || len(events) != observe.HistorySize || told < 2*observe.HistorySize {
		t.Fatalf("%d events of %d, %v", len(events), told, err)
	}
	for k, e := range events {
		if want := uint64(told - observe.HistorySize + k + 1); e.Number != want {
			t.Fatalf("event %d has the number %d, want %d", k, e.Number, want)
		}
		if len(e.Error) > 9<<10 || len(e.Stack) > 9<<10 {
			t.Errorf("an error of %d bytes, a stack of %d", len(e.Error), len(e.Stack))
		}
	}
	if last := events[len(events)-1]; last.Kind != "stopped" {
		t.Errorf("the last is %+v", last)
	}
}

func TestHistoryOfNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := engine.New("nobody")
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)), func(context.Context, *struct{}, engine.Message[uint64]) error {
		if _, err := p.History("nobody"); !errors.Is(err, engine.ErrNoState) {
			t.Errorf("in the run: %v", err)
		}
		return nil
	})
	run(t, p, dir)
	if _, err := p.History("sink"); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("after the run: %v", err)
	}
	if _, err := inspectHistory(t, dir, "nobody"); !errors.Is(err, engine.ErrNoState) {
		t.Errorf("inspected: %v", err)
	}
	if _, err := inspectHistory(t, dir, "no body"); !errors.Is(err, engine.ErrNoState) {
		t.Errorf("a bad name: %v", err)
	}
}
