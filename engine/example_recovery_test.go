package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/inspect"
	"penstock/engine/supervise"
)

// A recovery function looks at each fault and decides. Here a reading that
// cannot be is dropped; anything else is left to the restart policy.
func ExampleRecoveryFunc() {
	p := engine.New("readings")
	readings := enginetest.Values(p, "sensor", 20, -400, 21)
	errImpossible := errors.New("colder than possible")
	checked := engine.Stage(p.With(enginetest.FastRestarts()), "check",
		engine.On(readings, func(_ context.Context, _ *struct{}, m engine.Message[int], emit engine.Emit[int]) error {
			if m.Value < -273 {
				return errImpossible
			}
			emit(m.Value)
			return nil
		}),
		engine.Hooks[struct{}, int]{
			Recover: func(_ context.Context, f engine.Fault[struct{}]) engine.Recovery[struct{}] {
				if errors.Is(f.Err, errImpossible) {
					fmt.Println("drop", f.Message.ID)
					return f.Ignore()
				}
				return engine.Recovery[struct{}]{}
			},
		})
	got := enginetest.Collect(p, "collect", checked)
	complete(p)
	fmt.Println(got.Values())
	// Output:
	// drop readings.sensor:1
	// [20 21]
}

// The stage starts again with another state than the committed one: here the
// count begins anew, whatever it was.
func ExampleFault_RestartWith() {
	p := engine.New("count")
	clicks := enginetest.Values(p, "clicks", "a", "b", "reset", "c")
	counts := engine.Stage(p.With(enginetest.FastRestarts(), engine.Attempts(2)), "count",
		engine.On(clicks, func(_ context.Context, count *int, m engine.Message[string], emit engine.Emit[string]) error {
			if m.Value == "reset" && m.Attempt == 1 {
				return errors.New("reset")
			}
			*count++
			emit(fmt.Sprint(m.Value, " ", *count))
			return nil
		}),
		engine.Hooks[int, string]{
			Recover: func(_ context.Context, f engine.Fault[int]) engine.Recovery[int] { return f.RestartWith(100 + f.State) },
		})
	last := enginetest.Collect(p, "last", counts)
	complete(p)
	fmt.Println(last.Values()[3])
	// Output: c 104
}

// Before the stage starts again something has to be mended.
func ExampleFault_Handle() {
	connected := false
	p := engine.New("connect")
	words := enginetest.Values(p, "words", "hello")
	sent := engine.Stage(p.With(enginetest.FastRestarts()), "send",
		engine.On(words, func(_ context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[string]) error {
			if !connected {
				return errors.New("the line is cut")
			}
			emit(m.Value)
			return nil
		}),
		engine.Hooks[struct{}, string]{
			Recover: func(_ context.Context, f engine.Fault[struct{}]) engine.Recovery[struct{}] {
				return f.Handle(func(context.Context, *engine.Pipeline, *slog.Logger) error {
					fmt.Println("dial again after:", f.Err)
					connected = true
					return nil
				})
			},
		})
	printLines(p, sent)
	complete(p)
	// Output:
	// dial again after: message words.0:0, attempt 1 of 3: the line is cut
	// hello
}

// A recovery function that is replaced from inside is a snapshot: the stage
// comes back with what it knew here, committed or not.
func ExampleSetRecovery() {
	p := engine.New("snapshot")
	steps := enginetest.Values(p, "steps", 1, 2, 3)
	engine.Sink(p.With(enginetest.FastRestarts()), "walk", steps, func(ctx context.Context, path *[]string, m engine.Message[int]) error {
		if m.Value == 3 && m.Attempt == 1 {
			snapshot := []string{"as it was before the fall"}
			engine.SetRecovery(ctx, func(_ context.Context, f engine.Fault[[]string]) engine.Recovery[[]string] {
				return f.RestartWith(snapshot)
			})
			panic("fall")
		}
		*path = append(*path, fmt.Sprint("step ", m.Value))
		if m.Value == 3 {
			fmt.Println((*path)[0])
		}
		return nil
	})
	complete(p)
	// Output: as it was before the fall
}

// A message function that hangs is left behind; the message counts an attempt,
// and the stage goes on.
func ExampleDeadline() {
	release := make(chan struct{})
	defer close(release)
	p := engine.New("hang")
	words := enginetest.Values(p, "words", "way", "stuck", "message")
	out := engine.Stage(p.With(
		enginetest.FastRestarts(),
		engine.Deadline(300*time.Millisecond),
		engine.StopTimeout(10*time.Millisecond),
		engine.Attempts(1)), "handle",
		engine.On(words, func(_ context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[string]) error {
			if m.Value == "stuck" {
				<-release // and does not look at its context
			}
			emit(m.Value)
			return nil
		}))
	printLines(p, out)
	complete(p)
	for _, s := range p.Status().Stages {
		if s.Name == "handle" {
			fmt.Println("abandoned", s.Abandoned, "dead letters", s.DeadLetters)
		}
	}
	// Output:
	// way
	// message
	// abandoned 1 dead letters 1
}

// A stage that says it lost something it cannot do without is started again.
func ExampleHealthChecks() {
	cache := make(chan bool, 2) // what the probe finds, one answer a probe
	cache <- true
	cache <- false
	mended := make(chan struct{})
	p := engine.New("health")
	ticks := engine.Source(p, "ticks", func(ctx context.Context, _ *struct{}, _ engine.Emit[int]) error {
		select {
		case <-mended:
			return io.EOF
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	check := supervise.Check{
		Name:      "cache",
		Interval:  time.Millisecond,
		Threshold: 1,
		Probe: func(context.Context) supervise.Health {
			select {
			case there := <-cache:
				if !there {
					return supervise.Unwell("the cache is gone")
				}
			default:
			}
			return supervise.Well()
		},
	}
	starts := 0
	engine.Sink(p.With(enginetest.FastRestarts(), engine.HealthChecks(check)), "serve", ticks,
		func(context.Context, *struct{}, engine.Message[int]) error { return nil },
		engine.Hooks[struct{}, engine.None]{
			Start: func(context.Context, *struct{}, engine.Emit[engine.None]) error {
				if starts++; starts == 2 {
					close(mended)
				}
				fmt.Println("fill the cache")
				return nil
			},
			Recover: func(_ context.Context, f engine.Fault[struct{}]) engine.Recovery[struct{}] {
				fmt.Println(f.Reason, "-", f.Err)
				return f.Restart()
			},
		})
	complete(p)
	// Output:
	// fill the cache
	// unhealthy - unhealthy: check "cache" failed 1 time: the cache is gone
	// fill the cache
}

// An operator restarts a stage of the running pipeline.
func ExamplePipeline_RestartStage() {
	config, remove := exampleConfig()
	defer remove()
	started := make(chan struct{})
	end := make(chan struct{})
	p := engine.New("operate")
	quiet := engine.Source(p, "quiet", func(ctx context.Context, _ *struct{}, _ engine.Emit[int]) error {
		select {
		case <-end:
			return io.EOF
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	engine.Sink(p, "serve", quiet, func(context.Context, *struct{}, engine.Message[int]) error { return nil },
		engine.Hooks[struct{}, engine.None]{
			Start: func(ctx context.Context, _ *struct{}, _ engine.Emit[engine.None]) error {
				fmt.Println("start", engine.InfoOf(ctx).Start)
				started <- struct{}{}
				return nil
			},
		})
	done := make(chan error, 1)
	go func() { done <- p.Run(context.Background(), config) }()

	<-started
	go func() { <-started; close(end) }()
	fmt.Println("restarted:", p.RestartStage(context.Background(), "serve"))
	fmt.Println("ended:", <-done)
	// Unordered output:
	// start 1
	// restarted: <nil>
	// start 2
	// ended: <nil>
}

// What happened to a stage is kept in the data directory, for the next process
// and for people.
func ExampleInspector_History() {
	config, remove := exampleConfig()
	defer remove()
	p := engine.New("history")
	words := enginetest.Values(p, "words", "way")
	engine.Sink(p.With(enginetest.FastRestarts()), "flaky", words, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		if m.Attempt == 1 {
			return errors.New("the network is down")
		}
		return nil
	})
	ctx := context.Background()
	if err := p.Run(ctx, config); err != nil {
		fmt.Println(err)
	}

	inspector, err := inspect.Open(ctx, config.ToInspect())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = inspector.Close() }()
	events, err := inspector.History("flaky")
	for _, e := range events {
		if e.Kind == "backing off" {
			continue // its text has the error again
		}
		fmt.Println(strings.TrimSpace(fmt.Sprint(e.Number, " ", e.Kind, " ", e.Error)))
	}
	fmt.Println(err)
	// Output:
	// 1 starting
	// 2 running
	// 3 fault message words.0:0, attempt 1 of 3: the network is down
	// 5 restarting
	// 6 running
	// 7 stopped
	// <nil>
}
