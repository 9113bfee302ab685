package otel

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"penstock/engine"
)

// traced keeps the spans of a run.
type traced struct {
	*tracetest.InMemoryExporter
	provider *sdktrace.TracerProvider
}

func newTraced(options ...sdktrace.TracerProviderOption) traced {
	exporter := tracetest.NewInMemoryExporter()
	return traced{exporter, sdktrace.NewTracerProvider(append(options, sdktrace.WithSyncer(exporter))...)}
}

func (e traced) config(dir string) engine.Config {
	return engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler), Tracer: NewTracer(e.provider)}
}

// run runs a pipeline until it is complete, and returns what its spans are.
func (e traced) run(t *testing.T, p *engine.Pipeline, dir string) spans {
	t.Helper()
	if err := p.Run(t.Context(), e.config(dir)); err != nil {
		t.Fatal(err)
	}
	if !p.Status().Completed {
		t.Error("the run is not complete")
	}
	return spansOf(e.GetSpans())
}

type span struct{ tracetest.SpanStub }

type spans []span

func spansOf(stubs tracetest.SpanStubs) (list spans) {
	for _, s := range stubs {
		list = append(list, span{s})
	}
	return list
}

func (s span) value(key attribute.Key) attribute.Value {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return attribute.Value{}
}

func (s span) stage() string   { return s.value(stageKey).AsString() }
func (s span) outcome() string { return s.value(outcomeKey).AsString() }

func (l spans) of(stage string) (list spans) {
	for _, s := range l {
		if s.stage() == stage {
			list = append(list, s)
		}
	}
	return list
}

func (l spans) sum(key attribute.Key) (n int64) {
	for _, s := range l {
		n += s.value(key).AsInt64()
	}
	return n
}

func (l spans) find(id trace.SpanID) (span, bool) {
	i := slices.IndexFunc(l, func(s span) bool { return s.SpanContext.SpanID() == id })
	if i < 0 {
		return span{}, false
	}
	return l[i], true
}

// numbersTo emits 1 to n, one a call.
func numbersTo(n uint64) engine.SourceFunc[uint64, uint64] {
	return func(_ context.Context, last *uint64, emit engine.Emit[uint64]) error {
		if *last == n {
			return io.EOF
		}
		*last++
		emit(*last)
		return nil
	}
}

func drop(context.Context, *struct{}, engine.Message[uint64]) error { return nil }

func forward(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
	emit(m.Value)
	return nil
}
