package stages_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/stages"
)

// Lines of a file are changed and written to another one, each exactly once.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
	if err := os.WriteFile(in, []byte("the way\nof a message\n"), 0o600); err != nil {
		panic(err)
	}

	p := engine.New("shout")
	lines := engine.Source(p, "lines", stages.Lines(in))
	loud := engine.Stage(p, "shout", engine.On(lines,
		func(_ context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[string]) error {
			emit(strings.ToUpper(m.Value))
			return nil
		}))
	stages.FileSink(p, "file", loud, out, stages.Line)
	if err := p.Run(context.Background(), engine.Config{Dir: filepath.Join(dir, "data"), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		fmt.Println(err)
	}

	written, _ := os.ReadFile(out)
	fmt.Print(string(written))
	// Output:
	// THE WAY
	// OF A MESSAGE
}

// Orders are written into a database, with the positions of the sink in the same transaction. An order is rejected in a
// first run, and replayed in a second one.
func ExamplePositions() {
	db, err := badger.Open(badger.DefaultOptions("").WithInMemory(true).WithLogger(nil))
	if err != nil {
		panic(err)
	}
	defer db.Close()

	hasAddress := false
	store := func(_ context.Context, _ *struct{}, batch []engine.Message[string]) error {
		return db.Update(func(tx *badger.Txn) error {
			var positions stages.Positions
			if item, err := tx.Get([]byte("positions")); err == nil {
				if err := item.Value(positions.Decode); err != nil {
					return engine.Fatal(err)
				}
			}
			for _, m := range batch {
				if positions.Has(m) {
					continue
				}
				if m.Value == "cup" && !hasAddress {
					return engine.Reject(errors.New("no address"))
				}
				if err := tx.Set([]byte("order "+m.Value), nil); err != nil {
					return err
				}
				positions.Take(m)
			}
			return tx.Set([]byte("positions"), positions.Encode())
		})
	}

	memory := enginetest.NewMemory()
	run := func() {
		p := engine.New("shop")
		engine.SinkBatch(p, "store", enginetest.Values(p, "orders", "spoon", "cup", "plate"), store)
		config := engine.Config{Logger: slog.New(slog.DiscardHandler)}
		memory.In(&config)
		if err := p.Run(context.Background(), config); err != nil {
			fmt.Println(err)
		}
		db.View(func(tx *badger.Txn) error {
			rows := tx.NewIterator(badger.IteratorOptions{Prefix: []byte("order ")})
			defer rows.Close()
			for rows.Rewind(); rows.Valid(); rows.Next() {
				fmt.Println(string(rows.Item().Key()))
			}
			return nil
		})
	}
	run()
	for _, letter := range memory.DeadLetters() {
		fmt.Println("replay", letter.ID())
		if err := memory.Replay(letter.ID(), nil); err != nil {
			fmt.Println(err)
		}
	}
	hasAddress = true
	run()
	// Output:
	// order plate
	// order spoon
	// replay store.0:orders.0:1
	// order cup
	// order plate
	// order spoon
}

func ExampleHeartbeat() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	p := engine.New("clock")
	beats := engine.Source(p, "heartbeat", stages.Heartbeat(10*time.Millisecond, 3))
	numbers := engine.Stage(p, "count", engine.On(beats,
		func(_ context.Context, count *int, _ engine.Message[time.Time], emit engine.Emit[string]) error {
			*count++
			emit("beat " + strconv.Itoa(*count))
			return nil
		}))
	stages.WriterSink(p, "print", numbers, os.Stdout, stages.Line)
	if err := p.Run(context.Background(), engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// beat 1
	// beat 2
	// beat 3
}

// Of a directory only some files are read.
func ExampleFiles() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"b.txt", "a.txt", "c.bin"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("from "+name), 0o600); err != nil {
			panic(err)
		}
	}
	files := stages.Files{Roots: []string{dir}, Match: stages.Extensions(".txt")}

	p := engine.New("read")
	lines := engine.Source(p, "lines", files.Lines())
	stages.WriterSink(p, "print", lines, os.Stdout, stages.Line)
	if err := p.Run(context.Background(), engine.Config{Dir: filepath.Join(dir, "data"), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// from a.txt
	// from b.txt
}
