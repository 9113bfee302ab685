package inspect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/inspect"
)

// The states of a pipeline that is not running are read without its program.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "penstock-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	config := engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}
	p := engine.New("balances")
	bookings := enginetest.Values(p, "bookings", "ada", "grace", "ada")
	engine.Sink(p, "balance", engine.KeyBy(bookings, func(name string) string { return name }),
		func(_ context.Context, balance *struct{ Bookings int }, _ engine.Message[string]) error {
			balance.Bookings++
			return nil
		})
	ctx := context.Background()
	if err := p.Run(ctx, config); err != nil {
		fmt.Println(err)
		return
	}

	inspector, err := inspect.Open(ctx, config.ToInspect())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = inspector.Close() }()
	err = inspector.State(ctx, "balance", func(name string, state json.RawMessage) error {
		fmt.Println(name, string(state))
		return nil
	})
	ada, oneErr := inspector.StateOf(ctx, "balance", "ada")
	fmt.Println(string(ada), errors.Join(err, oneErr))
	// Output:
	// ada {"Bookings":2}
	// grace {"Bookings":1}
	// {"Bookings":2} <nil>
}
