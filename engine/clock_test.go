package engine_test

import (
	"context"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
)

// jump shifts the engine's clock until the test is over. A test that does so cannot run beside others.
func jump(t *testing.T, d time.Duration) {
	t.Helper()
	enginetest.ShiftClock(d)
	t.Cleanup(func() { enginetest.ShiftClock(-d) })
}

// clocked is what the stage of a clock test remembers.
type clocked struct {
	Ticks, Soon, Far int
}

// clockPipeline ticks, and has a timer that is due soon and one that is not. told is asked after every call of a timer.
func clockPipeline(p *engine.Pipeline, until <-chan struct{}, far time.Duration, told func(clocked)) {
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(1, until)),
		func(ctx context.Context, _ *clocked, _ engine.Message[uint64]) error {
			engine.SetTimer(ctx, "soon", enginetest.Now().Add(200*time.Millisecond))
			engine.SetTimer(ctx, "far", enginetest.Now().Add(far))
			return nil
		},
		engine.Every(10*time.Millisecond, func(_ context.Context, s *clocked, _ time.Time, _ engine.Emit[engine.None]) error {
			s.Ticks++
			told(*s)
			return nil
		}),
		engine.OnTimer("soon", func(_ context.Context, s *clocked, _ time.Time, _ engine.Emit[engine.None]) error {
			s.Soon++
			told(*s)
			return nil
		}),
		engine.OnTimer("far", func(_ context.Context, s *clocked, _ time.Time, _ engine.Emit[engine.None]) error {
			s.Far++
			told(*s)
			return nil
		}))
}

// A clock that is put back makes nobody wait, and one that is put forward fires what is due then; all of it once.
func TestTimersWhenTheClockJumps(t *testing.T) {
	p := engine.New("jumps")
	end := make(chan struct{})
	at := 0
	clockPipeline(p, end, time.Hour, func(s clocked) {
		switch {
		case at == 0 && s.Ticks >= 3:
			at = 1
			jump(t, -72*time.Hour)
		case at == 1 && s.Soon > 0 && s.Ticks >= 30:
			if at = 2; s.Far > 0 {
				t.Error("a timer fired an hour too early")
			}
			jump(t, 144*time.Hour)
		case at == 2 && s.Far > 0 && s.Ticks >= 60:
			at = 3
			close(end)
		}
	})
	dir := t.TempDir()
	run(t, p, dir)
	if s := committedState[clocked](t, dir, "sink")[""]; s.Soon != 1 || s.Far != 1 || s.Ticks > 10_000 {
		t.Errorf("%+v, want each timer once and no tick made up for", s)
	}
}

// Between two runs only the time of day goes on: ticks come all the same.
func TestTicksWhenTheClockIsPutBackBetweenRuns(t *testing.T) {
	dir := t.TempDir()
	ticks := 0
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	p := engine.New("between")
	clockPipeline(p, make(chan struct{}), time.Hour, func(s clocked) {
		if ticks = s.Ticks; ticks >= 3 && s.Soon > 0 {
			stop()
		}
	})
	if err := p.Run(ctx, testConfig(t, dir)); err != nil {
		t.Fatal(err)
	}
	jump(t, -72*time.Hour)
	before, end := ticks, make(chan struct{})
	p = engine.New("between")
	done := false
	clockPipeline(p, end, time.Hour, func(s clocked) {
		if !done && s.Ticks >= before+20 {
			done = true
			close(end)
		}
	})
	run(t, p, dir)
	if s := committedState[clocked](t, dir, "sink")[""]; s.Soon != 1 || s.Far != 0 {
		t.Errorf("%+v, want the timer that had fired not again, and the other one not yet", s)
	}
}
