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

// A run that is interrupted goes on where it was. Here the source asks for the
// interruption, after three numbers.
func ExamplePipeline_Run() {
	config, remove := exampleConfig()
	defer remove()
	ctx, stop := context.WithCancel(context.Background())
	p := engine.New("resume")
	printLines(p, engine.Source(p, "numbers", func(call context.Context, last *int, emit engine.Emit[int]) error {
		switch {
		case *last == 5:
			return io.EOF
		case *last == 3 && ctx.Err() == nil:
			stop()
			<-call.Done()
			return call.Err()
		}
		*last++
		emit(*last)
		return nil
	}))

	err := p.Run(ctx, config)
	fmt.Println("complete:", p.Status().Completed, err)
	err = p.Run(context.Background(), config)
	fmt.Println("complete:", p.Status().Completed, err)
	// Output:
	// 1
	// 2
	// 3
	// complete: false <nil>
	// 4
	// 5
	// complete: true <nil>
}

// Options belong to the stages that are declared in the scope.
func ExamplePipeline_With() {
	p := engine.New("flaky")
	words := enginetest.Values(p, "words", "way", "message")
	patient := p.With(
		engine.Attempts(5),
		engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond, Max: time.Second}))
	sent := engine.Stage(patient, "send", engine.On(words,
		func(_ context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[string]) error {
			if m.Value == "message" && m.Attempt < 3 {
				return errors.New("the network is down")
			}
			emit(fmt.Sprint(m.Value, ", attempt ", m.Attempt))
			return nil
		}))
	printLines(p, sent)
	complete(p)
	// Output:
	// way, attempt 1
	// message, attempt 3
}

// What can never succeed becomes a dead letter, and the stage goes on.
func ExampleReject() {
	p := engine.New("divide")
	numbers := enginetest.Values(p, "numbers", 1, 0, 4)
	inverses := engine.Stage(p, "invert", engine.On(numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[int], emit engine.Emit[float64]) error {
			if m.Value == 0 {
				return engine.Reject(errors.New("zero has no inverse"))
			}
			emit(1 / float64(m.Value))
			return nil
		}))
	printLines(p, inverses)
	complete(p)
	for _, stage := range p.Status().Stages {
		fmt.Printf("%-8s in %d, out %d, dead letters %d\n", stage.Name, stage.In, stage.Out, stage.DeadLetters)
	}
	// Output:
	// 1
	// 0.25
	// numbers  in 0, out 3, dead letters 0
	// invert   in 3, out 2, dead letters 1
	// print    in 2, out 0, dead letters 0
}

// Every mistake of a declaration is reported before anything starts.
func ExamplePipeline_Check() {
	p := engine.New("mistaken")
	enginetest.Values(p, "numbers", 1, 2, 3)
	enginetest.Values(p, "more numbers", 4)
	fmt.Println(p.Check())
	// Output:
	// wiring mistake: stage name "more numbers": use 1 to 64 of A-Z a-z 0-9 _ -
	// wiring mistake: the stream numbers has no reader: add one, or declare engine.Discard(…) if that is intended
	// wiring mistake: the stream more numbers has no reader: add one, or declare engine.Discard(…) if that is intended
}
