package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/supervise"
)

// Two stages that only make sense together: when the first one fails the one
// after it starts anew too, and the source goes on undisturbed.
func ExamplePipeline_Group() {
	p := engine.New("device")
	samples := enginetest.Values(p, "samples", 3, 5, 8)
	device := p.Group("device", engine.Group{Strategy: supervise.RestForOne}).
		With(engine.RestartBackoff(supervise.Immediate()))
	means := engine.Stage(device, "mean", engine.On(samples,
		func(_ context.Context, sum *int, m engine.Message[int], emit engine.Emit[string]) error {
			if m.Value == 5 && m.Attempt == 1 {
				panic("a loose contact")
			}
			*sum += m.Value
			emit(fmt.Sprintf("%.1f", float64(*sum)/float64(m.Offset+1)))
			return nil
		}))
	shown := enginetest.Collect(device, "show", means)
	complete(p)
	fmt.Println(shown.Values())
	for _, s := range p.Status().Stages {
		fmt.Printf("%-7s group %q, restarts %d\n", s.Name, s.Group, s.Restarts)
	}
	// Output:
	// [3.0 4.0 5.3]
	// samples group "", restarts 0
	// mean    group "device", restarts 1
	// show    group "device", restarts 1
}

// The pipeline itself is the root group. Its limit is for all of its stages
// together, and when it is exceeded the pipeline stops and says why.
func ExamplePipeline_Supervise() {
	p := engine.New("orders").Supervise(engine.Group{
		Limit: supervise.Limit{Restarts: 2, Window: time.Minute},
		OnChildEnd: func(e supervise.ChildEnd) {
			if e.Err != nil {
				fmt.Printf("%s: %v, restarting: %v\n", e.Reason, e.Err, e.Restarting)
			}
		},
	})
	orders := engine.Source(p.With(engine.RestartBackoff(supervise.Immediate())), "orders",
		func(context.Context, *struct{}, engine.Emit[string]) error { return errors.New("no connection") })
	printLines(p, orders)
	config, remove := exampleConfig()
	defer remove()
	fmt.Println(p.Run(context.Background(), config))
	// Output:
	// error: source call 0: no connection, restarting: true
	// error: source call 0: no connection, restarting: true
	// error: source call 0: no connection, restarting: false
	// child "orders" failed 3 times within 1m0s (limit 2): source call 0: no connection
}

// A temporary stage is given up at its first failure. Everything else is done,
// and its messages wait for the next run.
func ExampleRestartPolicy() {
	config, remove := exampleConfig()
	defer remove()
	for _, policy := range []supervise.Policy{supervise.Temporary, supervise.Transient} {
		p := engine.New("thumbnails")
		images := enginetest.Values(p, "images", "cat", "dog")
		scope := p.With(engine.RestartPolicy(policy))
		engine.Sink(scope, "draw", images, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
			if m.Attempt == 1 && m.Value == "cat" {
				return errors.New("out of paint")
			}
			fmt.Println("drawn:", m.Value)
			return nil
		})
		fmt.Println(p.Run(context.Background(), config))
	}
	// Output:
	// stage draw was given up: message images.0:0, attempt 1 of 3: out of paint (nothing is lost: the next run resumes with the remaining messages)
	// drawn: cat
	// drawn: dog
	// <nil>
}

// With unlimited attempts it is the restart limit that ends a crash loop.
func ExampleRestartLimit() {
	p := engine.New("stubborn")
	numbers := enginetest.Values(p, "numbers", 1, 2)
	scope := p.With(
		engine.Attempts(engine.Unlimited),
		engine.RestartLimit(2, time.Minute),
		engine.RestartBackoff(supervise.Immediate()))
	engine.Sink(scope, "sink", numbers, func(_ context.Context, _ *struct{}, m engine.Message[int]) error {
		fmt.Println("number", m.Value, "attempt", m.Attempt)
		return errors.New("no")
	})
	config, remove := exampleConfig()
	defer remove()
	err := p.Run(context.Background(), config)
	var limit *supervise.LimitError
	fmt.Println(errors.As(err, &limit), limit.Child, limit.Cause)
	// Output:
	// number 1 attempt 1
	// number 1 attempt 2
	// number 1 attempt 3
	// true sink message numbers.0:0, attempt 3: no
}

// A preset is a delay and a limit that go together.
func ExamplePreset() {
	p := engine.New("patient")
	words := enginetest.Values(p.With(engine.Preset(supervise.Lenient)), "words", "made", "it")
	printLines(p, words)
	complete(p)
	fmt.Println(supervise.Lenient.Limit.Restarts, "restarts in", supervise.Lenient.Limit.Window)
	// Output:
	// made
	// it
	// 20 restarts in 10m0s
}

// A permanent source is asked again when it has answered io.EOF: here it reads
// a file to its end again and again, until who reads it has enough.
func ExampleRestartPolicy_permanent() {
	p := engine.New("refrain")
	song := []string{"row", "your", "boat"}
	scope := p.With(engine.RestartPolicy(supervise.Permanent), engine.RestartBackoff(supervise.Immediate()))
	words := engine.Source(scope, "song", func(_ context.Context, next *int, emit engine.Emit[string]) error {
		emit(song[*next%len(song)])
		if *next++; *next%len(song) == 0 {
			return io.EOF
		}
		return nil
	}).WithCapacity(engine.Capacity{Messages: 3})
	engine.Sink(p, "sing", words, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		fmt.Print(m.Value, " ")
		if m.Offset == 5 {
			fmt.Println()
			return io.EOF
		}
		return nil
	})
	complete(p)
	// Output: row your boat row your boat
}
