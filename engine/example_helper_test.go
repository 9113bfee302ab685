package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"penstock/engine"
)

// exampleConfig is a data directory that remove deletes, and no log.
func exampleConfig() (config engine.Config, remove func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	return engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, func() { _ = os.RemoveAll(dir) }
}

// complete runs an example's pipeline to its end, which it must reach soon.
func complete(p *engine.Pipeline) {
	config, remove := exampleConfig()
	defer remove()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil || !p.Status().Completed {
		fmt.Println("not complete:", err)
	}
}

// printLines is an example's sink.
func printLines[T any](p *engine.Pipeline, in *engine.Stream[T]) {
	engine.Sink(p, "print", in, func(_ context.Context, _ *struct{}, m engine.Message[T]) error {
		_, err := fmt.Println(m.Value)
		return err
	})
}
