package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/supervise"
)

// Messages carry the number of their attempt; timers, hooks and sources ask for it.
func ExampleAttempt() {
	p := engine.New("flaky")
	numbers := engine.Source(p.With(engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond})), "read",
		func(ctx context.Context, done *bool, emit engine.Emit[int]) error {
			switch {
			case *done:
				return io.EOF
			case engine.Attempt(ctx) < 3:
				return errors.New("no answer")
			}
			*done = true
			emit(engine.Attempt(ctx))
			return nil
		})
	printLines(p, numbers)
	complete(p)
	// Output: 3
}

// A function logs with the name of its stage.
func ExampleLogger() {
	p := engine.New("greet")
	names := enginetest.Values(p, "names", "Ada")
	engine.Sink(p, "hello", names, func(ctx context.Context, _ *struct{}, m engine.Message[string]) error {
		engine.Logger(ctx).Warn("hello", "name", m.Value)
		return nil
	})
	config, remove := exampleConfig()
	defer remove()
	config.Logger = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	_ = p.Run(context.Background(), config)
	// Output: level=WARN msg=hello pipeline=greet stage=hello name=Ada
}

// A message has the time of the event that it tells of.
func ExampleWithTime() {
	p := engine.New("events")
	events := engine.Source(p, "read", func(_ context.Context, done *bool, emit engine.Emit[string]) error {
		if *done {
			return io.EOF
		}
		*done = true
		emit("moon landing", engine.WithTime(time.Date(1969, 7, 20, 20, 17, 0, 0, time.UTC)))
		return nil
	})
	engine.Sink(p, "print", events, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		fmt.Println(m.Value, m.Time.UTC().Year())
		return nil
	})
	complete(p)
	// Output: moon landing 1969
}

// A health check answers with the error of what it asks. What is away makes a stage degraded: a restart brings it back
// to nobody.
func ExampleHealthOf() {
	fmt.Println(engine.HealthOf(nil).Level)
	fmt.Println(engine.HealthOf(engine.Unavailable(errors.New("no route"))).Level)
	fmt.Println(engine.HealthOf(errors.New("the table is missing")).Level)
	// Output:
	// healthy
	// degraded
	// unhealthy
}

// catalogue is the state of a source that reads a list of known length.
type catalogue struct {
	Next, Length int
}

func (catalogue) ChecksEnd() {}

// A source that has ended looks at each further start of the run whether its input is as it was.
func ExampleEndChecker() {
	list := []string{"a", "b"}
	p := engine.New("catalogue")
	items := engine.Source(p, "read", func(ctx context.Context, c *catalogue, emit engine.Emit[string]) error {
		switch {
		case engine.IsEndCheck(ctx) && c.Length != len(list):
			return engine.Fatal(fmt.Errorf("the list had %d items and has %d", c.Length, len(list)))
		case c.Next == len(list):
			c.Length = len(list)
			return io.EOF
		}
		emit(list[c.Next])
		c.Next++
		return nil
	})
	printLines(p, items)
	complete(p)
	// Output:
	// a
	// b
}

// Strings, numbers and bytes are written as they are; everything else as CBOR.
func ExampleDefaultCodec() {
	codec := engine.DefaultCodec[map[string]int]()
	data, err := codec.Append(nil, map[string]int{"a": 1})
	fmt.Printf("%s %x %v\n", codec.Name(), data, err)
	// Output: cbor d9d9f7a1616101 <nil>
}
