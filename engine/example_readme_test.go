package engine_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"penstock/engine"
)

// What the README shows, to the letter (tests/readme_test.go looks).
func Example_readme() {
	leave := enterTemporaryDirectory()
	defer leave()
	ctx := context.Background()
	generate := func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 5 {
			return io.EOF
		}
		emit(at.Next)
		at.Next++
		return nil
	}
	write := func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		_, err := fmt.Println(m.Value)
		return err
	}

	type Tally struct{ Seen, Even uint64 } // the zero value is ready; the engine saves and restores it

	p := engine.New("parity")
	numbers := engine.Source(p, "numbers", generate) // func(ctx, *Place, engine.Emit[uint64]) error; io.EOF ends it
	evens := engine.Stage(p, "evens", engine.On(numbers,
		func(_ context.Context, t *Tally, m engine.Message[uint64], emit engine.Emit[string]) error {
			if t.Seen++; m.Value%2 == 0 {
				t.Even++
				emit(fmt.Sprint(m.Value, " is even"))
			}
			return nil // done with it: outputs, state and position are committed together
		}))
	engine.Sink(p, "print", evens, write)
	err := p.Run(ctx, engine.Config{Dir: "data"})

	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0 is even
	// 2 is even
	// 4 is even
}

// enterTemporaryDirectory makes a new directory the current one, without a
// log, until leave is called.
func enterTemporaryDirectory() (leave func()) {
	output := log.Writer()
	before, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err == nil {
		err = os.Chdir(dir)
	}
	if err != nil {
		panic(err)
	}
	log.SetOutput(io.Discard) // which slog's default logger writes to
	return func() {
		log.SetOutput(output)
		_ = os.Chdir(before)
		_ = os.RemoveAll(dir)
	}
}
