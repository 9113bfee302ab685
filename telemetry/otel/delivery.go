package otel

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// delivery sends spans, counts them, and says once when they do not arrive and
// once when they do again. It is called by one goroutine.
type delivery struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	away bool

	ended, sent atomic.Uint64
}

// ExportSpans sends spans. Its errors are told here.
func (d *delivery) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := d.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err == nil:
		d.sent.Add(uint64(len(spans)))
		if d.away {
			d.log.Info("traces are delivered again")
		}
	case !d.away:
		d.log.Warn("cannot deliver traces; the pipeline goes on, and spans are dropped until delivery works again", "error", err)
	}
	d.away = err != nil
	return nil
}

// lost is how many spans have ended and were not sent, or not yet.
func (d *delivery) lost() uint64 {
	sent := d.sent.Load()
	return d.ended.Load() - sent
}

// count counts the spans that end. The queue behind it drops some without a
// word.
func (d *delivery) count() sdktrace.SpanProcessor { return counter{&d.ended} }

type counter struct{ ended *atomic.Uint64 }

func (counter) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (c counter) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		c.ended.Add(1)
	}
}

func (counter) Shutdown(context.Context) error   { return nil }
func (counter) ForceFlush(context.Context) error { return nil }

var (
	_ sdktrace.SpanExporter  = (*delivery)(nil)
	_ sdktrace.SpanProcessor = counter{}
)
