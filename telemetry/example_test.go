package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"penstock/engine"
	"penstock/telemetry"
)

// counting is a pipeline to be shown.
func counting() *engine.Pipeline {
	p := engine.New("counting")
	numbers := engine.Source(p, "numbers", func(context.Context, *struct{}, engine.Emit[uint64]) error { return io.EOF })
	engine.Sink(p, "sum", numbers, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error {
		*sum += m.Value
		return nil
	})
	return p
}

func ExampleWriteDOT() {
	var text strings.Builder
	if err := telemetry.WriteDOT(&text, counting().Graph(), nil); err != nil {
		panic(err)
	}
	for line := range strings.Lines(text.String()) { // what a stage and a channel look like is left out
		line, _, _ = strings.Cut(line, " [")
		fmt.Println(strings.TrimSpace(line))
	}
	// Output:
	// digraph "counting" {
	// graph
	// node
	// edge
	// "numbers"
	// "sum"
	// "numbers" -> "sum"
	// }
}

// A server may be asked before the pipeline runs, and until it is stopped.
func ExampleNew() {
	server, err := telemetry.New(counting(), telemetry.Config{Address: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- server.Serve(ctx) }()
	answer, err := http.Get(server.URL() + "readyz")
	if err != nil {
		panic(err)
	}
	reasons, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	fmt.Print(answer.Status, " ", string(reasons))
	stop()
	if err := <-served; err != nil {
		panic(err)
	}
	// Output: 503 Service Unavailable {"ready":false,"reasons":["the pipeline has not started"]}
}
