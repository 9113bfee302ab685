package otel

import (
	"context"
	"io"
	"log/slog"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"penstock/engine"
	"penstock/engine/observe"
	frames "penstock/engine/trace"
)

// A hop of many messages without a tracer, with one that samples nothing, one
// that samples one in a hundred, and one that samples all.
func BenchmarkTraces(b *testing.B) {
	for _, of := range []struct {
		name    string
		sampler sdktrace.Sampler
	}{
		{"off", nil},
		{"none", sdktrace.NeverSample()},
		{"1%", sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01))},
		{"all", sdktrace.AlwaysSample()},
	} {
		b.Run(of.name, func(b *testing.B) {
			config := engine.Config{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)}
			if of.sampler != nil {
				provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(of.sampler), sdktrace.WithBatcher(tracetest.NewNoopExporter()))
				defer func() { _ = provider.Shutdown(context.Background()) }()
				config.Tracer = NewTracer(provider)
			}
			n := uint64(b.N)
			p := engine.New("hop")
			values := engine.Source(p, "source", func(_ context.Context, next *uint64, emit engine.Emit[uint64]) error {
				for range 100 {
					if *next == n {
						return io.EOF
					}
					emit(*next)
					*next++
				}
				return nil
			})
			engine.Sink(p, "sink", values, drop)
			b.ReportAllocs()
			b.ResetTimer()
			if err := p.Run(b.Context(), config); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// What one frame costs that took from two others.
func BenchmarkSpan(b *testing.B) {
	for name, sampler := range map[string]sdktrace.Sampler{"none": sdktrace.NeverSample(), "all": sdktrace.AlwaysSample()} {
		b.Run(name, func(b *testing.B) {
			provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithBatcher(tracetest.NewNoopExporter()))
			defer func() { _ = provider.Shutdown(context.Background()) }()
			tracer := NewTracer(provider)
			first := tracer.Begin(frames.Begin{Stage: "a", Kind: observe.KindSource}).Trace()
			second := tracer.Begin(frames.Begin{Stage: "b", Kind: observe.KindSource}).Trace()
			b.ReportAllocs()
			for b.Loop() {
				s := tracer.Begin(frames.Begin{Pipeline: "p", Stage: "c", Instance: "c.0", Kind: observe.KindProcessor, Epoch: 1, Stream: "a", From: first})
				s.Took("a", first)
				s.Took("b", second)
				_ = s.Trace()
				s.End(frames.End{Outcome: frames.Committed, Commit: 1, In: 10, Out: 10, Bytes: 1000, Attempt: 1})
			}
		})
	}
}
