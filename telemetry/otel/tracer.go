package otel

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"penstock/engine/observe"
	"penstock/engine/supervise"
	frames "penstock/engine/trace"
	"penstock/telemetry/internal/text"
)

// NewTracer makes OpenTelemetry spans of a pipeline's frames, for
// engine.Config.Tracer. The provider samples and exports them; see
// TracesFromEnvironment for one that the standard variables set up.
//
// Each frame is one span: of a source a producer's, of any other stage a
// consumer's. It has a link to the span of every frame that it took messages
// from, and is the child of the first of them, so that the sampler decides
// once, at the source, for all that follows.
//
// In a stage's function trace.SpanFromContext(ctx) is the span of the frame that
// it works for, and what the function starts with ctx becomes its child. A source
// that has its messages from elsewhere adds a link to where they come from:
// trace.SpanFromContext(ctx).AddLink(trace.LinkFromContext(remote)).
func NewTracer(provider trace.TracerProvider) frames.Tracer {
	return tracer{provider.Tracer("penstock", trace.WithSchemaURL(semconv.SchemaURL))}
}

type tracer struct{ trace.Tracer }

var (
	_ frames.Tracer = tracer{}
	_ frames.Span   = (*frameSpan)(nil)
)

// What a frame has besides the attributes for messaging.
const (
	pipelineKey     = attribute.Key("penstock.pipeline")
	stageKey        = attribute.Key("penstock.stage")
	instanceKey     = attribute.Key("penstock.instance")
	epochKey        = attribute.Key("penstock.epoch")
	outcomeKey      = attribute.Key("penstock.outcome")
	commitKey       = attribute.Key("penstock.commit")
	inKey           = attribute.Key("penstock.messages.in")
	outKey          = attribute.Key("penstock.messages.out")
	callsKey        = attribute.Key("penstock.calls")
	sizeKey         = attribute.Key("penstock.frame.size")
	attemptKey      = attribute.Key("penstock.attempt")
	lettersKey      = attribute.Key("penstock.dead_letters")
	moreLinksKey    = attribute.Key("penstock.links.omitted")
	messagingSystem = "nats"
)

// maxLinks bounds the links of a span, as the SDK does unless it is told
// otherwise; but it keeps the first, which is the parent.
const maxLinks = 128

// frameSpan is the span of one frame.
type frameSpan struct {
	trace.Span
	ctx     context.Context
	linked  []trace.SpanID
	omitted int
}

// Begin starts a span.
func (t tracer) Begin(f frames.Begin) frames.Span {
	kind, operation, sort := trace.SpanKindConsumer, "process", semconv.MessagingOperationTypeProcess
	if f.Kind == observe.KindSource {
		kind, operation, sort = trace.SpanKindProducer, "publish", semconv.MessagingOperationTypeSend
	}
	attributes := []attribute.KeyValue{
		semconv.MessagingSystemKey.String(messagingSystem), semconv.MessagingOperationName(operation), sort,
		pipelineKey.String(f.Pipeline), stageKey.String(f.Stage), instanceKey.String(f.Instance), epochKey.Int64(int64(f.Epoch)),
	}
	if f.Stream != "" {
		attributes = append(attributes, semconv.MessagingDestinationName(f.Stream))
	}
	ctx, span := t.Start(contextOf(f.From), operation+" "+f.Stage, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	return &frameSpan{Span: span, ctx: ctx}
}

// Value lets the functions of the stage find the span.
func (s *frameSpan) Value(key any) any { return s.ctx.Value(key) }

// Trace is the span's own context, also that of one which is not sampled: the
// stages behind must not sample it either.
func (s *frameSpan) Trace() frames.Context {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(s.ctx, carrier)
	return frames.Context{Parent: carrier["traceparent"], State: carrier["tracestate"]}
}

// Took adds a link, unless there is no such span.
func (s *frameSpan) Took(stream string, from frames.Context) {
	if !s.IsRecording() {
		return
	}
	origin := trace.SpanContextFromContext(contextOf(from))
	switch {
	case !origin.IsSampled(), slices.Contains(s.linked, origin.SpanID()):
	case len(s.linked) == maxLinks:
		s.omitted++
	default:
		s.linked = append(s.linked, origin.SpanID())
		s.AddLink(trace.Link{SpanContext: origin, Attributes: []attribute.KeyValue{semconv.MessagingDestinationName(stream)}})
	}
}

// Failed notes the error of a call.
func (s *frameSpan) Failed(err error) { s.record(err) }

// End ends the span.
func (s *frameSpan) End(f frames.End) {
	if s.IsRecording() {
		s.conclude(f)
	}
	s.Span.End()
}

func (s *frameSpan) conclude(f frames.End) {
	attributes := append(make([]attribute.KeyValue, 0, 10), outcomeKey.String(string(f.Outcome)))
	if f.Attempt > 0 {
		attributes = append(attributes, attemptKey.Int(f.Attempt))
	}
	if f.Err != nil {
		s.record(f.Err)
		s.SetStatus(codes.Error, text.OfError(f.Err))
		attributes = append(attributes, semconv.ErrorTypeKey.String(supervise.ReasonOf(f.Err).String()))
	}
	if f.Outcome == frames.Committed {
		messages := f.In
		if f.Calls > 0 {
			messages = f.Out
			attributes = append(attributes, callsKey.Int64(int64(f.Calls)))
		}
		attributes = append(attributes,
			semconv.MessagingBatchMessageCount(int(messages)), commitKey.Int64(int64(f.Commit)),
			inKey.Int64(int64(f.In)), outKey.Int64(int64(f.Out)), sizeKey.Int(f.Bytes), lettersKey.Int(f.DeadLetters))
	}
	if s.omitted > 0 {
		attributes = append(attributes, moreLinksKey.Int(s.omitted))
	}
	s.SetAttributes(attributes...)
}

// record adds an error as an event, with the stack of a panic.
func (s *frameSpan) record(err error) {
	attributes := []attribute.KeyValue{
		semconv.ExceptionType(fmt.Sprintf("%T", err)), semconv.ExceptionMessage(text.OfError(err)),
	}
	if stack := text.StackOf(err); stack != "" {
		attributes = append(attributes, semconv.ExceptionStacktrace(stack))
	}
	s.AddEvent(semconv.ExceptionEventName, trace.WithAttributes(attributes...))
}

// contextOf is a context with where a frame leads, which may be nothing or
// nonsense: then it is empty.
func contextOf(t frames.Context) context.Context {
	if t.Parent == "" {
		return context.Background()
	}
	return propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": t.Parent, "tracestate": t.State})
}
