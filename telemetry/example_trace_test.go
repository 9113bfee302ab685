package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"penstock/engine"
	"penstock/telemetry"
)

// A program that sends its traces where the OTEL_ variables say. The provider is
// for its own spans, such as those of an HTTP client.
func ExampleTracesFromEnvironment() {
	traces, err := telemetry.TracesFromEnvironment("orders", slog.Default())
	if err != nil {
		panic(err)
	}
	defer traces.Close()
	config := engine.Config{Dir: "data", Tracer: traces.Tracer()}
	client := traces.Provider().Tracer("orders/client")
	_, _ = config, client
}

// Spans of two frames: what the source sent, and what the sink made of it.
func ExampleNewTracer() {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))

	p := engine.New("counting")
	numbers := engine.Source(p, "numbers", func(_ context.Context, _ *struct{}, emit engine.Emit[uint64]) error {
		emit(1)
		emit(2)
		emit(3)
		return io.EOF
	})
	engine.Sink(p, "sum", numbers, func(ctx context.Context, sum *uint64, m engine.Message[uint64]) error {
		trace.SpanFromContext(ctx).AddEvent("added") // the span of the frame
		*sum += m.Value
		return nil
	})
	dir, err := os.MkdirTemp("", "traces")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	config := engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler), Tracer: telemetry.NewTracer(provider)}
	if err := p.Run(context.Background(), config); err != nil {
		panic(err)
	}

	spans := map[trace.SpanID]tracetest.SpanStub{}
	for _, s := range exporter.GetSpans() {
		spans[s.SpanContext.SpanID()] = s
	}
	for _, s := range exporter.GetSpans() {
		for _, link := range s.Links {
			from := spans[link.SpanContext.SpanID()]
			fmt.Println(s.Name, "has", len(s.Events), "events and took from", from.Name)
		}
	}
	// Output: process sum has 3 events and took from publish numbers
}
