package otel

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	frames "penstock/engine/trace"
)

// Traces sends spans to where the standard variables of OpenTelemetry say. Of
// nil all methods may be called: it is what there is when they ask for none.
type Traces struct {
	provider *sdktrace.TracerProvider
	delivery *delivery
	log      *slog.Logger
}

// closeTime is how long the spans that are left may take to be sent.
const closeTime = 5 * time.Second

// TracesFromEnvironment returns nil unless OTEL_TRACES_EXPORTER is otlp, or
// OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set; also
// when OTEL_SDK_DISABLED is true or OTEL_TRACES_EXPORTER is none. An error says
// that they ask for what is not here, such as another exporter or gRPC, or make
// no sense. The other variables, such as OTEL_TRACES_SAMPLER, OTEL_BSP_MAX_QUEUE_SIZE and
// OTEL_RESOURCE_ATTRIBUTES, are the SDK's. The name of the service is that of
// the pipeline, unless OTEL_SERVICE_NAME has another.
//
// Spans wait in a queue of bounded length, and what does not fit is dropped: an
// endpoint that is away neither holds up the pipeline nor fills the memory. The
// log says so once, and how many it were at the end. What the SDK itself has to
// say goes there, too, for the whole process.
func TracesFromEnvironment(pipeline string, log *slog.Logger) (*Traces, error) {
	wanted, err := tracesWanted(os.Getenv)
	if err != nil || !wanted {
		return nil, err
	}
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("OpenTelemetry error", "error", err) }))
	exporter, err := otlptracehttp.New(context.Background(), defaultEndpoint(os.Getenv)...)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	// What a variable says comes last, and counts.
	about, err := resource.New(context.Background(), resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(pipeline)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("send traces: read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	t := &Traces{delivery: &delivery{SpanExporter: exporter, log: log}, log: log}
	t.provider = sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithSpanProcessor(t.delivery.count()), sdktrace.WithBatcher(t.delivery))
	return t, nil
}

// Tracer is for engine.Config.Tracer.
func (t *Traces) Tracer() frames.Tracer {
	if t == nil {
		return nil
	}
	return NewTracer(t.provider)
}

// Provider is for what else a program traces, such as its HTTP clients.
func (t *Traces) Provider() trace.TracerProvider {
	if t == nil {
		return noop.NewTracerProvider()
	}
	return t.provider
}

// Close sends the spans that are left, for 5 seconds at most.
func (t *Traces) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	// The provider returns at that time, and leaves an export under way to itself.
	defer context.AfterFunc(ctx, func() { _ = t.delivery.Shutdown(context.Background()) })()
	err := t.provider.Shutdown(ctx)
	if lost := t.delivery.lost(); lost > 0 {
		t.log.Warn("some spans were dropped: the endpoint did not answer, or the queue was full; OTEL_TRACES_SAMPLER makes fewer spans, OTEL_BSP_MAX_QUEUE_SIZE a longer queue",
			"lost", lost, "sent", t.delivery.sent.Load())
	} else if err != nil {
		t.log.Warn("the trace exporter did not shut down in order", "error", err)
	}
}
