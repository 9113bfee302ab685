package otel

import (
	"context"
	"io"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"penstock/engine"
	"penstock/engine/observe"
	frames "penstock/engine/trace"
)

// What a stage's function starts joins the span of its frame, and a source says
// where its messages come from.
func TestFunctionsFindTheSpanOfTheirFrame(t *testing.T) {
	t.Parallel()
	remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true})
	e := newTraced()
	clients := e.provider.Tracer("an HTTP client")
	p := engine.New("calling")
	numbers := engine.Source(p, "numbers", func(ctx context.Context, done *bool, emit engine.Emit[uint64]) error {
		if *done {
			return io.EOF
		}
		request := trace.ContextWithRemoteSpanContext(context.Background(), remote) // as it came with a request
		trace.SpanFromContext(ctx).AddLink(trace.LinkFromContext(request))
		_, call := clients.Start(ctx, "fetch")
		call.End()
		emit(1)
		*done = true
		return nil
	})
	engine.SinkBatch(p, "sink", numbers, func(ctx context.Context, _ *struct{}, _ []engine.Message[uint64]) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		_, call := clients.Start(ctx, "store")
		call.End()
		return nil
	}, engine.Hooks[struct{}, engine.None]{BeforeCommit: func(ctx context.Context, _ *struct{}) error {
		if trace.SpanFromContext(ctx).IsRecording() {
			_, call := clients.Start(ctx, "sync")
			call.End()
		}
		return nil
	}})
	all := e.run(t, p, t.TempDir())
	calls := map[string]string{"fetch": "numbers", "store": "sink", "sync": "sink"}
	for _, s := range all {
		stage, isCall := calls[s.Name]
		if !isCall {
			continue
		}
		delete(calls, s.Name)
		if frame, found := all.find(s.Parent.SpanID()); !found || frame.stage() != stage || frame.value(inKey).AsInt64()+frame.value(outKey).AsInt64() != 1 {
			t.Errorf("%s is the child of %q %v", s.Name, frame.Name, frame.Attributes)
		}
	}
	if len(calls) > 0 {
		t.Errorf("no spans of %v", calls)
	}
	for _, s := range all.of("numbers") {
		if s.value(outKey).AsInt64() == 1 && (len(s.Links) != 1 || !s.Links[0].SpanContext.Equal(remote)) {
			t.Errorf("the source's links: %v", s.Links)
		}
	}
}

// So many frames may be in one that their number is bounded, with the parent
// among them.
func TestLinksOfASpanAreBounded(t *testing.T) {
	t.Parallel()
	e := newTraced()
	tracer := NewTracer(e.provider)
	origins := make([]frames.Context, 3*maxLinks)
	for k := range origins {
		origin := tracer.Begin(frames.Begin{Stage: "numbers", Kind: observe.KindSource})
		origins[k] = origin.Trace()
	}
	s := tracer.Begin(frames.Begin{Stage: "sink", From: origins[0]})
	for range 2 {
		for _, origin := range origins[:maxLinks] {
			s.Took("numbers", origin)
		}
	}
	for _, origin := range origins[maxLinks:] {
		s.Took("numbers", origin)
	}
	s.End(frames.End{Outcome: frames.Committed})
	got := spansOf(e.GetSpans())[0]
	if len(got.Links) != maxLinks || got.DroppedLinks != 0 || got.Links[0].SpanContext.SpanID() != got.Parent.SpanID() {
		t.Errorf("%d links, %d dropped", len(got.Links), got.DroppedLinks)
	}
	if omitted := got.value(moreLinksKey).AsInt64(); omitted != 2*maxLinks {
		t.Errorf("%d omitted", omitted)
	}
}
