package control_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"penstock/cmd/pipeline/control"
	"penstock/engine"
)

// A program that runs its pipeline itself serves the control socket by one call.
func ExampleWith() {
	dir, err := os.MkdirTemp("", "numbers")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	p := engine.New("numbers")
	numbers := engine.Source(p, "count", func(_ context.Context, last *int, emit engine.Emit[int]) error {
		if *last == 3 {
			return io.EOF
		}
		*last++
		emit(*last)
		return nil
	})
	engine.Sink(p, "print", numbers, func(_ context.Context, _ *struct{}, m engine.Message[int]) error {
		fmt.Println(m.Value)
		return nil
	})
	config := engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}
	// While it runs: pipeline state count --dir DIR
	if err := p.Run(context.Background(), control.With(p, config)); err != nil {
		panic(err)
	}
	// Output:
	// 1
	// 2
	// 3
}
