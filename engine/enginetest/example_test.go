package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/enginetest"
)

// Shout is the stage to be tested.
func Shout(_ context.Context, count *int, m engine.Message[string], emit engine.Emit[string]) error {
	if m.Value == "" {
		return engine.Reject(errors.New("nothing to shout"))
	}
	*count++
	emit(strings.ToUpper(m.Value))
	return nil
}

// A test of the stage: what it emits, what it refuses and what it remembers.
func Example() {
	_ = func(t *testing.T) { // TestShout
		p := engine.New("test")
		in := enginetest.Values(p, "in", "the", "", "way")
		out := enginetest.Collect(p, "out", engine.Stage(p, "shout", engine.On(in, Shout)))
		dir := t.TempDir()

		status := enginetest.Run(t, p, enginetest.In(dir))

		if got, want := out.Values(), []string{"THE", "WAY"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if n := enginetest.Stage(t, status, "shout").DeadLetters; n != 1 {
			t.Errorf("%d dead letters, want 1", n)
		}
		if count := enginetest.State[int](t, dir, "shout")[""]; count != 2 {
			t.Errorf("the state is %d, want 2", count)
		}
	}
}

// A whole pipeline in memory: no server, no files.
func ExampleNewMemory() {
	p := engine.New("test")
	in := enginetest.Values(p, "in", "the", "", "way")
	out := enginetest.Collect(p, "out", engine.Stage(p, "shout", engine.On(in, Shout)))

	memory := enginetest.NewMemory()
	config := engine.Config{Logger: slog.New(slog.DiscardHandler)}
	memory.In(&config) // in a test: enginetest.Run(t, p, memory.In)
	if err := p.Run(context.Background(), config); err != nil {
		fmt.Println(err)
	}

	fmt.Println(out.Values())
	for _, letter := range memory.DeadLetters() {
		fmt.Println(letter.ID(), letter.Reason, letter.Error)
	}
	// Output:
	// [THE WAY]
	// shout.0:in.0:1 rejected nothing to shout
}
