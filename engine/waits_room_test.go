package engine_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// standstill is a pipeline that cannot go on: src emits 20 messages to its stream and then 20 to its branch, the
// channel takes 10, and join holds the stream until the branch has come.
func standstill(name string) *engine.Pipeline {
	p := engine.New(name)
	side := engine.Branch[int](p, "side")
	stream := engine.Source(p.With(engine.Branches(side)), "src", func(ctx context.Context, n *int, emit engine.Emit[int]) error {
		switch {
		case *n == 40:
			return io.EOF
		case *n < 20:
			emit(*n)
		default:
			side.Emit(ctx, *n)
		}
		*n++
		return nil
	}).WithCapacity(engine.Capacity{Messages: 10})
	engine.Stage(p, "join",
		engine.On(stream, func(_ context.Context, seen *int, _ engine.Message[int], _ engine.Emit[engine.None]) error {
			if *seen < 20 {
				return engine.Hold
			}
			return nil
		}),
		engine.On(&side.Stream, func(_ context.Context, seen *int, _ engine.Message[int], _ engine.Emit[engine.None]) error {
			*seen++
			return nil
		}))
	return p
}

func TestStandstillIsToldWithWhatHoldsIt(t *testing.T) {
	t.Parallel()
	p, log := standstill("standstill"), &lockedBuffer{}
	events := make(chan supervise.Event, 100)
	config := testConfig(t, t.TempDir())
	config.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	config.WaitPatience, config.DrainTimeout = 1500*time.Millisecond, 10*time.Millisecond
	config.OnEvent = func(e supervise.Event) {
		if e.Kind == observe.WaitsLong {
			events <- e
		}
	}
	ctx, stop := bounded(t)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, config) }()
	var told supervise.Event
	select {
	case told = <-events:
	case err := <-ended:
		t.Fatalf("the run ended: %v", err)
	}
	status := p.Status()
	history, err := p.History("src")
	stop()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	const why = "join has 10 messages of src to consume, and holds the next one (message src.0:0) since "
	if told.Child != "src" || !strings.Contains(told.Detail, "room ("+why) {
		t.Errorf("the event is %+v", told)
	}
	src, join := stageStatus(t, status, "src"), stageStatus(t, status, "join")
	if src.Out != 10 || join.In != 0 || len(src.Waits) == 0 {
		t.Fatalf("src: %+v\njoin: %+v", src, join)
	}
	wait := src.Waits[0]
	if wait.For != "room" || !strings.HasPrefix(wait.Detail, why) || !wait.Overdue || wait.Readiness != observe.NotReady {
		t.Errorf("src waits for %+v", wait)
	}
	if len(join.Waits) != 1 || join.Waits[0].For != "held message" || join.Waits[0].Overdue {
		t.Errorf("join waits for %+v", join.Waits)
	}
	if last := history[len(history)-1]; last.Kind != "waits too long" || !strings.Contains(last.Detail, why) {
		t.Errorf("the last event in the history is %+v", last)
	}
	if text := log.String(); !strings.Contains(text, `msg="the stage waits" pipeline=standstill stage=src for=room detail="`+why) {
		t.Errorf("the log says %s", text)
	}
}

// A stage that answers with a Snooze again and again moves nothing, like one that holds.
func TestSnoozeAgainAndAgainIsAStandstill(t *testing.T) {
	t.Parallel()
	p := engine.New("again")
	numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
		emit(at.Next)
		at.Next++
		return nil
	}).WithCapacity(engine.Capacity{Messages: 10})
	engine.Sink(p, "sink", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error {
		return engine.Snooze(3 * time.Second)
	})
	config := testConfig(t, t.TempDir())
	config.WaitPatience, config.DrainTimeout = 2500*time.Millisecond, 10*time.Millisecond
	events := make(chan supervise.Event, 100)
	config.OnEvent = func(e supervise.Event) {
		if e.Kind == observe.WaitsLong {
			events <- e
		}
	}
	ctx, stop := bounded(t)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, config) }()
	select {
	case told := <-events:
		if told.Child != "numbers" || !strings.Contains(told.Detail, "room (sink has 10 messages of numbers to consume") {
			t.Errorf("the event is %+v", told)
		}
	case err := <-ended:
		t.Fatalf("the run ended: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
