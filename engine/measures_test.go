package engine_test

import (
	"context"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
)

// What is measured agrees with what is counted.
func TestMeasures(t *testing.T) {
	t.Parallel()
	const n = 5000
	p := engine.New("measures")
	if p.Measures() != nil {
		t.Error("measures before the run")
	}
	began := time.Now()
	old := began.Add(-time.Hour)
	values := engine.Source(p, "values", func(ctx context.Context, place *int, emit engine.Emit[int]) error {
		if *place == n {
			<-ctx.Done()
			return ctx.Err()
		}
		*place++
		emit(*place, engine.WithTime(old))
		return nil
	})
	engine.Sink(p, "quick", values, ignore[struct{}, int])
	slow := engine.Stage(p, "slow", engine.On(values, func(_ context.Context, _ *struct{}, m engine.Message[int], emit engine.Emit[int]) error {
		if m.Value%500 == 0 {
			time.Sleep(30 * time.Millisecond) // what is measured is real time
		}
		emit(m.Value)
		return nil
	}))
	engine.Sink(p, "late", slow, ignore[struct{}, int])
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("late", "has all", func(s observe.StageStatus) bool { return s.In == n })
	b.until("quick", "has all", func(s observe.StageStatus) bool { return s.In == n })
	status := p.Status()
	for _, m := range p.Measures() {
		stage := stageStatus(t, status, m.Stage)
		if m.Calls.Count < n {
			t.Errorf("%s: %d calls", m.Stage, m.Calls.Count)
		}
		if m.Commits.Count == 0 || m.Commits.Count >= stage.Commits || m.Batches.Count != m.Commits.Count {
			t.Errorf("%s: %d commits, %d batches, and %d frames with the fence", m.Stage, m.Commits.Count, m.Batches.Count, stage.Commits)
		}
		if m.Batches.Sum != n {
			t.Errorf("%s: its commits took %v", m.Stage, m.Batches.Sum)
		}
		if stage.Kind == observe.KindSource {
			continue
		}
		if m.Ages.Count != n || m.Ages.Quantile(0.5) < 3500 || m.Ages.Quantile(0.5) > 4000 {
			t.Errorf("%s: %d messages were %v s old", m.Stage, m.Ages.Count, m.Ages.Quantile(0.5))
		}
		if m.Stage == "slow" && (m.Calls.Max < 0.03 || m.Calls.Sum < 10*0.03) {
			t.Errorf("%s: a call took %v s, all of them %v s", m.Stage, m.Calls.Max, m.Calls.Sum)
		}
		if all := time.Since(began).Seconds(); m.Calls.Sum > all {
			t.Errorf("%s: its calls took %v s of %v s", m.Stage, m.Calls.Sum, all)
		}
	}
	if len(status.Channels) != 3 {
		t.Errorf("%+v", status.Channels)
	}
	for _, c := range status.Channels {
		if c.Written != n || c.Taken != n || c.Lag() != 0 || c.Oldest != 0 || c.Held {
			t.Errorf("%+v", c)
		}
	}
	if status.Broker == nil || !status.Broker.Embedded || !status.Broker.Connected || status.Broker.Server != "embedded" {
		t.Errorf("%+v", status.Broker)
	}
	b.stop()
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

// Of a stage that reads two streams the ages of each are told apart, also when
// it takes them in turn.
func TestAgesByInput(t *testing.T) {
	t.Parallel()
	const n = 3000
	p := engine.New("ages")
	from := func(age time.Duration) engine.SourceFunc[int, int] {
		return func(ctx context.Context, place *int, emit engine.Emit[int]) error {
			if *place == n {
				<-ctx.Done()
				return ctx.Err()
			}
			*place++
			emit(*place, engine.WithTime(time.Now().Add(-age)))
			return nil
		}
	}
	hours := []time.Duration{time.Hour, 10 * time.Hour}
	first, second := engine.Source(p, "first", from(hours[0])), engine.Source(p, "second", from(hours[1]))
	type turns struct{ Taken [2]int }
	take := func(k int) func(context.Context, *turns, engine.Message[int], engine.Emit[engine.None]) error {
		return func(_ context.Context, s *turns, _ engine.Message[int], _ engine.Emit[engine.None]) error {
			if s.Taken[k] > s.Taken[1-k] && s.Taken[1-k] < n {
				return engine.Hold
			}
			s.Taken[k]++
			return nil
		}
	}
	engine.Stage(p, "both", engine.On(first, take(0)), engine.On(second, take(1)))
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("both", "has all", func(s observe.StageStatus) bool { return s.In == 2*n })
	for _, m := range p.Measures() {
		if m.Stage != "both" {
			continue
		}
		if len(m.Inputs) != 2 || m.Inputs[0].Stream != "first" || m.Inputs[1].Stream != "second" || m.Ages.Count != 2*n {
			t.Fatalf("%+v", m)
		}
		for k, i := range m.Inputs {
			low, high := i.Ages.Quantile(0), i.Ages.Quantile(1)
			if want := hours[k].Seconds(); i.Ages.Count != n || low < want*0.9 || high > want*1.2 {
				t.Errorf("%s: %d messages from %v s to %v s old, not %d of %v s", i.Stream, i.Ages.Count, low, high, n, want)
			}
		}
	}
	b.stop()
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

// A channel tells how full it is, how old what waits is, and that it waits for another.
func TestChannelStatus(t *testing.T) {
	t.Parallel()
	p := engine.New("channels")
	end := make(chan struct{})
	numbers := engine.Source(p, "numbers", countUntil(100, end)).WithCapacity(engine.Capacity{Messages: 200})
	credit := engine.Source(p, "credit", countUntil(0, end))
	engine.Stage(p, "sink",
		engine.On(credit, func(context.Context, *struct{}, engine.Message[uint64], engine.Emit[engine.None]) error { return nil }),
		engine.On(numbers, func(context.Context, *struct{}, engine.Message[uint64], engine.Emit[engine.None]) error {
			return engine.Hold
		}))
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	b.until("sink", "holds its first message", func(observe.StageStatus) bool {
		for _, c := range p.Status().Channels {
			if c.Stream == "numbers" && c.Held && c.Lag() == 100 && c.Oldest > 0 && c.Fill == 0.5 && c.StoredBytes > 0 {
				return true
			}
		}
		return false
	})
	close(end)
	b.stop()
	if err := b.end(); err != nil {
		t.Error(err)
	}
}
