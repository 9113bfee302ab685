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

// At its attempt limit a message becomes a dead letter, unless the stage says that its group fails. The pipeline is one.
func ExampleAtLimit() {
	p := engine.New("strict")
	payments := enginetest.Values(p, "payments", 10, -1)
	engine.Sink(p.With(engine.Attempts(1), engine.AtLimit(engine.EscalateStage)), "book", payments,
		func(_ context.Context, _ *struct{}, m engine.Message[int]) error {
			if m.Value < 0 {
				return errors.New("a negative payment")
			}
			return nil
		})
	config, remove := exampleConfig()
	defer remove()
	err := p.Run(context.Background(), config)
	var limit *engine.AtLimitError
	fmt.Println(errors.As(err, &limit), limit.Stage, limit.Attempts, limit.Reason)
	// Output: true book 1 a negative payment
}

// Options that belong together are one.
func ExampleOptions() {
	patient := engine.Options(
		engine.Attempts(5),
		engine.AttemptDelay(supervise.Backoff{Initial: time.Millisecond, Max: time.Second}))
	p := engine.New("two")
	for _, name := range []string{"a", "b"} {
		words := enginetest.Values(p, "words-"+name, name)
		engine.Sink(p.With(patient), "send-"+name, words, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
			if m.Attempt < 3 {
				return errors.New("the network is down")
			}
			return nil
		})
	}
	complete(p)
	for _, s := range p.Status().Stages {
		fmt.Println(s.Name, s.DeadLetters)
	}
	// Output:
	// words-a 0
	// send-a 0
	// words-b 0
	// send-b 0
}

// What is away is asked again after a second at first, and each minute at most.
func ExampleUnavailableBackoff() {
	p := engine.New("rates")
	orders := enginetest.Values(p, "orders", 3)
	asked := 0
	total := engine.Stage(p.With(engine.UnavailableBackoff(supervise.Backoff{Initial: time.Millisecond, Max: time.Minute})), "convert",
		engine.On(orders, func(_ context.Context, _ *struct{}, m engine.Message[int], emit engine.Emit[int]) error {
			if asked++; asked < 3 {
				return engine.Unavailable(errors.New("no route to the service"))
			}
			emit(2 * m.Value)
			return nil
		}))
	printLines(p, total)
	complete(p)
	// Output: 6
}

// A recovery function that asks a server or a person may take longer than the usual five seconds.
func ExampleRecoveryTimeout() {
	p := engine.New("asks")
	numbers := enginetest.Values(p, "numbers", 1, 2)
	engine.Sink(p.With(engine.RecoveryTimeout(time.Minute)), "sum", numbers,
		func(_ context.Context, sum *int, m engine.Message[int]) error {
			if m.Value == 2 && m.Attempt == 1 {
				return errors.New("two")
			}
			*sum += m.Value
			return nil
		}, engine.Hooks[int, engine.None]{
			Recover: func(_ context.Context, f engine.Fault[int]) engine.Recovery[int] {
				fmt.Println("asked about", f.Call)
				return f.Restart()
			},
		})
	complete(p)
	// Output: asked about message numbers.0:1
}

// A keyed stage keeps the states of the keys that came last in memory, up to so many bytes, and reads the others.
func ExampleKeyMemory() {
	p := engine.New("visits")
	names := engine.KeyBy(enginetest.Values(p, "names", "ada", "grace", "ada"), func(name string) string { return name })
	counts := engine.Stage(p.With(engine.KeyMemory(64<<20)), "count", engine.On(names,
		func(_ context.Context, n *int, m engine.Message[string], emit engine.Emit[string]) error {
			*n++
			emit(fmt.Sprint(m.Value, " ", *n))
			return nil
		}))
	printLines(p, counts)
	complete(p)
	// Output:
	// ada 1
	// grace 1
	// ada 2
}

// A stage with several inputs takes one of them in batches.
func ExampleOnBatch() {
	p := engine.New("batches")
	numbers := enginetest.Values(p, "numbers", 1, 2, 3, 4, 5)
	sums := engine.Stage(p.With(engine.BatchSize(5)), "sum", engine.OnBatch(numbers,
		func(_ context.Context, _ *struct{}, batch []engine.Message[int], emit engine.Emit[int]) error {
			for _, m := range batch {
				emit(m.Value * m.Value)
			}
			return nil
		}))
	printLines(p, sums)
	complete(p)
	// Output:
	// 1
	// 4
	// 9
	// 16
	// 25
}

// A run is taken over from another data directory only with the same arguments: another pattern would read other files.
func ExampleConfig_arguments() {
	pattern := "*.go"
	p := engine.New("grep")
	lines := enginetest.Values(p, "lines", "func main() {")
	printLines(p, lines)
	config, remove := exampleConfig()
	defer remove()
	config.Arguments = []string{"--pattern " + pattern}
	fmt.Println(p.Run(context.Background(), config))
	// Output:
	// func main() {
	// <nil>
}

// Fatal stops the pipeline: a restart would find the same.
func ExampleFatal() {
	errLicence := errors.New("the licence has expired")
	p := engine.New("licensed")
	engine.Discard(engine.Source(p, "numbers", func(context.Context, *int, engine.Emit[int]) error {
		return engine.Fatal(errLicence)
	}))
	config, remove := exampleConfig()
	defer remove()
	fmt.Println(errors.Is(p.Run(context.Background(), config), errLicence))
	// Output: true
}

// A source sets aside what it can make no value of, and goes on behind it.
func ExampleRejectValue() {
	lines := []string{"1", "x", "3"}
	p := engine.New("numbers")
	numbers := engine.Source(p, "parse", func(_ context.Context, next *int, emit engine.Emit[int]) error {
		if *next == len(lines) {
			return io.EOF
		}
		line := lines[*next]
		*next++ // before it is rejected
		var n int
		if _, err := fmt.Sscan(line, &n); err != nil {
			return engine.RejectValue([]byte(line), errors.New("no number"))
		}
		emit(n)
		return nil
	})
	printLines(p, numbers)
	complete(p)
	fmt.Println("dead letters:", p.Status().Stages[0].DeadLetters)
	// Output:
	// 1
	// 3
	// dead letters: 1
}
