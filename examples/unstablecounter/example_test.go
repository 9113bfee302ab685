package unstablecounter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/examples/unstablecounter"
)

// Five seconds in no time.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	config := engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()

	five := &clock{ticks: 500}
	p := unstablecounter.New(unstablecounter.Options{Tick: five.tick})
	if err := p.Run(ctx, config); err != nil {
		fmt.Println(err)
	}
	fmt.Println("panics:", p.Status().Stages[0].Panics)

	inspector, err := inspect.Open(ctx, config.ToInspect())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = inspector.Close() }()
	for _, stage := range []string{"counter", "display"} {
		err := inspector.State(ctx, stage, func(_ string, state json.RawMessage) error {
			fmt.Println(stage, string(state))
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// panics: 5
	// counter {"count":220,"snapshot":200}
	// display {"last":220,"values":495}
}
