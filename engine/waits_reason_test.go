package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/breaker"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/patient"
)

// A full channel whose reader has a good reason, or one that is told of where it
// is, is not overdue by itself, however long it stays full.
func TestRoomIsNotOverdueBesideItsCause(t *testing.T) {
	t.Parallel()
	fails := func(context.Context, *struct{}, engine.Message[uint64]) error { return errDown }
	away := engine.Hooks[struct{}, engine.None]{Start: func(context.Context, *struct{}, engine.Emit[engine.None]) error {
		return engine.Unavailable(errDown)
	}}
	snoozes := func(context.Context, *struct{}, engine.Message[uint64]) error { return engine.Snooze(time.Hour) }
	for name, c := range map[string]struct {
		option engine.Option
		sink   func(context.Context, *struct{}, engine.Message[uint64]) error // nil: one that fails
		part   []engine.Part[struct{}, engine.None]
		stop   bool
		does   string // the reader, as the detail of the wait says
	}{
		"attempt delay": {option: engine.AttemptDelay(supervise.Fixed(time.Hour)), does: "waits for attempt delay"},
		"open breaker": {option: engine.CircuitBreaker(breaker.Config{Failures: 1, Open: time.Hour}),
			does: "waits for circuit breaker"},
		"a start that waits for the other side": {option: fast, part: []engine.Part[struct{}, engine.None]{away}, does: "waits for unavailable"},
		"a message that is snoozed":             {option: fast, sink: snoozes, does: "(message numbers.0:0, snoozed until "},
		"stopped by an operator":                {option: fast, stop: true, does: "is stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("reason")
			stopped := make(chan struct{})
			numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
				if c.stop {
					select {
					case <-stopped:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				emit(at.Next)
				at.Next++
				return nil
			}).WithCapacity(engine.Capacity{Messages: 10})
			sink := c.sink
			if sink == nil {
				sink = fails
			}
			engine.Sink(p.With(c.option), "sink", numbers, sink, c.part...)
			config := testConfig(t, t.TempDir())
			config.WaitPatience, config.DrainTimeout = 1200*time.Millisecond, 10*time.Millisecond
			ctx, stop := bounded(t)
			ended := make(chan error, 1)
			go func() { ended <- p.Run(ctx, config) }()
			defer func() {
				stop()
				if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}()
			if c.stop {
				patient.Within(t, "that it runs", func() bool {
					return len(p.Status().Stages) == 2 && stageStatus(t, p.Status(), "sink").State == "running"
				})
				if err := p.StopStage(ctx, "sink"); err != nil {
					t.Fatal(err)
				}
				close(stopped)
			}
			var room observe.Wait
			patient.Within(t, "a wait for room that is longer than the patience", func() bool {
				status := p.Status()
				if len(status.Stages) == 0 {
					return false // not open yet
				}
				for _, wait := range stageStatus(t, status, "numbers").Waits {
					if room = wait; wait.For == "room" {
						return wait.Seconds > 2*config.WaitPatience.Seconds()
					}
				}
				return false
			})
			if room.Overdue || room.Readiness != "" || !strings.Contains(room.Detail, c.does) {
				t.Errorf("%+v", room)
			}
		})
	}
}
