package doctor_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/enginetest"
)

// A directory is examined without the program of its pipeline.
func ExampleExamine() {
	dir, err := os.MkdirTemp("", "penstock-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	config := engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}
	p := engine.New("numbers")
	engine.Discard(enginetest.Values(p, "numbers", 1, 2, 3))
	ctx := context.Background()
	if err := p.Run(ctx, config); err != nil {
		fmt.Println(err)
		return
	}

	found, err := doctor.Examine(ctx, config.ToInspect())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range found.Findings {
		fmt.Println(f.Part, f.Text)
	}
	fmt.Println(found.Pipeline, "is sound:", found.Sound)
	// Output:
	// numbers is sound: true
}
