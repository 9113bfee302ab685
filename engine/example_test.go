package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"penstock/engine"
)

// numbers is a source: its state is the last number, and io.EOF ends it.
func numbers(_ context.Context, last *int, emit engine.Emit[int]) error {
	if *last == 4 {
		return io.EOF
	}
	*last++
	emit(*last)
	return nil
}

// add keeps a running total in its state.
func add(_ context.Context, total *int, m engine.Message[int], emit engine.Emit[int]) error {
	*total += m.Value
	emit(*total)
	return nil
}

// show has its effect outside.
func show(_ context.Context, _ *struct{}, m engine.Message[int]) error {
	_, err := fmt.Println(m.Value)
	return err
}

// A source, a stage and a sink, each a Go function with a state that survives
// the process.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	p := engine.New("totals")
	in := engine.Source(p, "numbers", numbers)
	totals := engine.Stage(p, "add", engine.On(in, add))
	engine.Sink(p, "show", totals, show)
	err = p.Run(context.Background(), engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1
	// 3
	// 6
	// 10
}
