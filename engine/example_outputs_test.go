package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"penstock/engine"
	"penstock/engine/enginetest"
)

// The stage chooses for each value where it goes.
func ExampleBranch() {
	p := engine.New("parse")
	lines := enginetest.Values(p, "lines", "1", "two", "3")
	bad := engine.Branch[string](p, "bad")
	good := engine.Stage(p.With(engine.Branches(bad)), "parse", engine.On(lines,
		func(ctx context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[int]) error {
			number, err := strconv.Atoi(m.Value)
			if err != nil {
				bad.Emit(ctx, m.Value)
				return nil
			}
			emit(number)
			return nil
		}))
	numbers := enginetest.Collect(p, "numbers", good)
	rest := enginetest.Collect(p, "rest", &bad.Stream)
	complete(p)
	fmt.Println(numbers.Values(), rest.Values())
	// Output: [1 3] [two]
}

// A sink that writes many messages at once: one statement, one request.
func ExampleSinkBatch() {
	p := engine.New("bulk")
	numbers := enginetest.Values(p, "numbers", 1, 2, 3, 4, 5)
	total := 0
	engine.SinkBatch(p.With(engine.BatchSize(2)), "insert", numbers,
		func(_ context.Context, _ *struct{}, batch []engine.Message[int]) error {
			if len(batch) > 2 {
				return fmt.Errorf("%d messages at once", len(batch))
			}
			for _, m := range batch {
				total += m.Value
			}
			return nil
		})
	complete(p)
	fmt.Println("total", total)
	// Output: total 15
}

// A file that holds every line exactly once, whatever happens: its length is
// part of the commit, and a start cuts off what came after the last one. The
// package stages has such a sink ready-made.
func ExampleHooks() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "lines.txt")

	type written struct{ Length int64 }
	var file *os.File
	p := engine.New("report")
	lines := enginetest.Values(p, "lines", "the way", "of a message")
	engine.Sink(p, "file", lines,
		func(_ context.Context, w *written, m engine.Message[string]) error {
			n, err := fmt.Fprintln(file, m.Value)
			w.Length += int64(n)
			return err
		},
		engine.Hooks[written, engine.None]{
			Start: func(_ context.Context, w *written, _ engine.Emit[engine.None]) (err error) {
				if file, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
					return err
				}
				return file.Truncate(w.Length)
			},
			BeforeCommit: func(context.Context, *written) error { return file.Sync() },
			Stop:         func(context.Context, *written) error { return file.Close() },
		})
	complete(p)

	data, _ := os.ReadFile(path)
	fmt.Print(string(data))
	// Output:
	// the way
	// of a message
}

// Point is written in 8 bytes by its codec, instead of as JSON.
type Point struct{ X, Y int32 }

type pointCodec struct{}

func (pointCodec) Name() string { return "point" }

func (pointCodec) Append(dst []byte, p Point) ([]byte, error) {
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.X))
	return binary.BigEndian.AppendUint32(dst, uint32(p.Y)), nil
}

func (pointCodec) Decode(data []byte) (Point, error) {
	if len(data) != 8 {
		return Point{}, errors.New("not a point")
	}
	return Point{int32(binary.BigEndian.Uint32(data)), int32(binary.BigEndian.Uint32(data[4:]))}, nil
}

func ExampleStream_WithCodec() {
	p := engine.New("points")
	points := enginetest.Values(p, "points", Point{3, 4}, Point{-1, 0}).WithCodec(pointCodec{})
	printLines(p, points)
	complete(p)
	// Output:
	// {3 4}
	// {-1 0}
}

// The key travels with the message.
func ExampleWithKey() {
	p := engine.New("keys")
	words := enginetest.Values(p, "words", "way", "message")
	lengths := engine.Stage(p, "length", engine.On(words,
		func(_ context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[int]) error {
			emit(len(m.Value), engine.WithKey(m.Value))
			return nil
		}))
	engine.Sink(p, "print", lengths, func(_ context.Context, _ *struct{}, m engine.Message[int]) error {
		_, err := fmt.Println(m.Key, m.Value)
		return err
	})
	complete(p)
	// Output:
	// way 3
	// message 7
}

// A new version of a program counts cents, and goes on from a state in euros.
func ExampleMigrated() {
	type totalBefore struct{ Euros int }
	type total struct{ Cents int }
	codec := engine.Migrated(engine.JSON[total](), engine.JSON[totalBefore](),
		func(before totalBefore) (total, error) { return total{Cents: before.Euros * 100}, nil })

	for _, stored := range []string{`{"Euros":3}`, `{"Cents":310}`} {
		value, err := codec.Decode([]byte(stored))
		fmt.Printf("%+v %v\n", value, err)
	}

	p := engine.New("sum")
	prices := enginetest.Values(p, "prices", 10, 20)
	engine.Sink(p, "total", prices, func(_ context.Context, t *total, m engine.Message[int]) error {
		t.Cents += m.Value
		return nil
	}, engine.StateCodec[total, engine.None](codec))
	complete(p)
	// Output:
	// {Cents:300} <nil>
	// {Cents:310} <nil>
}

// A source goes on without a value that its codec refuses; the dead letter has
// the codec's error.
func ExampleOnUnfit() {
	p := engine.New("unfit")
	list := []float64{1, math.Inf(1), 3}
	type place struct{ Next int }
	type reading struct{ Value float64 }
	readings := engine.Source(p.With(engine.OnUnfit(engine.DeadLetter)), "readings", func(_ context.Context, at *place, emit engine.Emit[reading]) error {
		if at.Next == len(list) {
			return io.EOF
		}
		emit(reading{list[at.Next]})
		at.Next++
		return nil
	}).WithCodec(engine.JSON[reading]())
	seen := enginetest.Collect(p, "seen", readings)
	complete(p)
	fmt.Println(seen.Values(), p.Status().Stages[0].DeadLetters)
	// Output: [{1} {3}] 1
}

// A source emits as much in a call as fits into a message of the server.
func ExampleEmit_Try() {
	p := engine.New("fill")
	type place struct{ Next int }
	blocks := engine.Source(p, "blocks", func(_ context.Context, at *place, emit engine.Emit[[]byte]) error {
		for ; at.Next < 20; at.Next++ {
			var tooLarge *engine.TooLargeError
			switch err := emit.Try(make([]byte, 1<<20)); {
			case errors.As(err, &tooLarge) && tooLarge.Stream == "":
				return nil // the rest in the next call
			case err != nil:
				return err
			}
		}
		return io.EOF
	})
	total := 0
	engine.Sink(p, "count", blocks, func(context.Context, *struct{}, engine.Message[[]byte]) error { total++; return nil })
	complete(p)
	fmt.Println(total, "blocks in", p.Status().Stages[0].Commits > 3)
	// Output: 20 blocks in true
}
