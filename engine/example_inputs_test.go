package engine_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
)

// A stage with two inputs has one state for both. An order waits until there
// is a cup for it.
func ExampleHold() {
	p := engine.New("cafe")
	orders := enginetest.Values(p, "orders", "tea", "coffee")
	cups := enginetest.Values(p, "cups", "blue", "white")
	served := engine.Stage(p, "serve",
		engine.On(cups, func(_ context.Context, clean *[]string, m engine.Message[string], _ engine.Emit[string]) error {
			*clean = append(*clean, m.Value)
			return nil
		}),
		engine.On(orders, func(_ context.Context, clean *[]string, m engine.Message[string], emit engine.Emit[string]) error {
			if len(*clean) == 0 {
				return engine.Hold
			}
			emit(m.Value + " in the " + (*clean)[0] + " cup")
			*clean = (*clean)[1:]
			return nil
		}))
	printLines(p, served)
	complete(p)
	// Output:
	// tea in the blue cup
	// coffee in the white cup
}

// The message stays where it is until it is asked for again; no attempt is
// counted.
func ExampleSnooze() {
	open := time.Now().Add(20 * time.Millisecond)
	p := engine.New("shop")
	guests := enginetest.Values(p, "guests", "Ada", "Grace")
	let := engine.Stage(p, "door", engine.On(guests,
		func(_ context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[string]) error {
			if wait := time.Until(open); wait > 0 {
				return engine.Snooze(wait)
			}
			emit(fmt.Sprint(m.Value, ", attempt ", m.Attempt))
			return nil
		}))
	printLines(p, let)
	complete(p)
	// Output:
	// Ada, attempt 1
	// Grace, attempt 1
}

// Each word has a count of its own. The End hook is called for every key, in
// their order, when the last word is in.
func ExampleKeyBy() {
	p := engine.New("wordcount")
	words := enginetest.Values(p, "words", strings.Fields("to be or not to be")...)
	counts := engine.Stage(p, "count",
		engine.On(engine.KeyBy(words, func(word string) string { return word }),
			func(_ context.Context, count *int, _ engine.Message[string], _ engine.Emit[string]) error {
				*count++
				return nil
			}),
		engine.Hooks[int, string]{
			End: func(ctx context.Context, count *int, emit engine.Emit[string]) error {
				emit(fmt.Sprint(engine.CurrentKey(ctx), ": ", *count))
				return nil
			},
		})
	printLines(p, counts)
	complete(p)
	// Output:
	// be: 2
	// not: 1
	// or: 1
	// to: 2
}

// A task that is over leaves no state behind: its key begins anew.
func ExampleForgetKey() {
	p := engine.New("sessions")
	clicks := enginetest.Values(p, "clicks", "ada", "bob", "ada", "ada bye", "ada")
	counted := engine.Stage(p, "count", engine.On(
		engine.KeyBy(clicks, func(click string) string { return click[:3] }),
		func(ctx context.Context, clicks *int, m engine.Message[string], emit engine.Emit[string]) error {
			if strings.HasSuffix(m.Value, "bye") {
				engine.ForgetKey(ctx)
				return nil
			}
			*clicks++
			emit(fmt.Sprint(m.Key, " ", *clicks))
			return nil
		}))
	printLines(p, counted)
	complete(p)
	// Output:
	// ada 1
	// bob 1
	// ada 2
	// ada 1
}

// A tick tells the mean of what has come in so far. Here the source goes on
// until the mean of all its readings was told.
func ExampleEvery() {
	told, tell := context.WithCancel(context.Background())
	p := engine.New("gauge")
	readings := engine.Source(p, "readings", func(ctx context.Context, count *int, emit engine.Emit[float64]) error {
		values := []float64{1, 2, 6}
		if *count < len(values) {
			emit(values[*count])
			*count++
			return nil
		}
		select {
		case <-told.Done():
			return io.EOF
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	means := engine.Stage(p, "mean",
		engine.On(readings, func(_ context.Context, seen *[]float64, m engine.Message[float64], _ engine.Emit[float64]) error {
			*seen = append(*seen, m.Value)
			return nil
		}),
		engine.Every(5*time.Millisecond, func(_ context.Context, seen *[]float64, _ time.Time, emit engine.Emit[float64]) error {
			if len(*seen) < 3 {
				return nil
			}
			emit(((*seen)[0] + (*seen)[1] + (*seen)[2]) / 3)
			*seen = nil
			return nil
		}))
	engine.Sink(p, "print", means, func(_ context.Context, _ *struct{}, m engine.Message[float64]) error {
		tell()
		_, err := fmt.Println(m.Value)
		return err
	})
	complete(p)
	// Output: 3
}
