package otel

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"penstock/engine"
)

// halfway runs the source to its end, and stops the sink at its first message.
func halfway(t *testing.T, e traced, dir string) spans {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p := engine.New("restarted")
	numbers := engine.Source(p, "numbers", numbersTo(10))
	engine.Sink(p, "sink", numbers, func(ctx context.Context, _ *struct{}, _ engine.Message[uint64]) error {
		stop()
		<-ctx.Done()
		return ctx.Err()
	})
	config := e.config(dir)
	config.DrainTimeout = 1 // and it is cut off
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	return spansOf(e.GetSpans())
}

func whole() *engine.Pipeline {
	p := engine.New("restarted")
	engine.Sink(p, "sink", engine.Source(p, "numbers", numbersTo(10)), drop)
	return p
}

// The next process finds what its frames lead to in the channel.
func TestLinksOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := halfway(t, newTraced(), dir)
	after := newTraced().run(t, whole(), dir)
	linked := 0
	for _, s := range after.of("sink") {
		for _, l := range s.Links {
			if origin, found := append(before, after...).find(l.SpanContext.SpanID()); !found || origin.stage() != "numbers" {
				t.Errorf("a link to nowhere: %v", l.SpanContext)
			} else if _, found := before.find(l.SpanContext.SpanID()); found {
				linked++
			}
		}
	}
	if linked == 0 {
		t.Error("no link leads to the process before")
	}
	commits := map[int64]bool{}
	for _, s := range append(before, after...).of("numbers") {
		if commit := s.value(commitKey).AsInt64(); s.outcome() == "committed" {
			if commits[commit] {
				t.Errorf("commit %d has two spans", commit)
			}
			commits[commit] = true
		}
	}
}

// What was not sampled at the source is not sampled later, wherever that is.
func TestSamplingIsDecidedAtTheSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	never := newTraced(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
	if list := halfway(t, never, dir); len(list) != 0 {
		t.Errorf("%d spans", len(list))
	}
	for _, s := range newTraced(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample()))).run(t, whole(), dir).of("sink") {
		for _, l := range s.Links {
			if !l.SpanContext.IsSampled() {
				t.Errorf("a link to %v, of which there is no span", l.SpanContext)
			}
		}
		if s.value(inKey).AsInt64() == 10 {
			t.Errorf("a span of what was not sampled: %v", s.Attributes)
		}
	}
}
