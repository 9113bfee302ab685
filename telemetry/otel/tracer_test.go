package otel

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	frames "penstock/engine/trace"
)

// Each frame has one span, and links lead from stage to stage, through a branch
// and a fan-in as well.
func TestSpansAreLinkedAcrossStages(t *testing.T) {
	t.Parallel()
	const n = 500
	p := engine.New("traced")
	numbers := engine.Source(p, "numbers", numbersTo(n))
	odd := engine.Branch[uint64](p, "odd")
	even := engine.Stage(p.With(engine.Branches(odd)), "split", engine.On(numbers, func(ctx context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		if m.Value%2 == 1 {
			odd.Emit(ctx, m.Value)
		} else {
			emit(m.Value)
		}
		return nil
	}))
	joined := engine.Stage(p, "join", engine.On(even, forward), engine.On(&odd.Stream, forward))
	engine.Sink(p, "sink", joined, drop)
	all := newTraced().run(t, p, t.TempDir())

	producers := map[string]string{"split": "numbers", "join": "split", "sink": "join"}
	for _, stage := range []string{"numbers", "split", "join", "sink"} {
		list := all.of(stage)
		commits := map[int64]bool{}
		for _, s := range list {
			if s.outcome() != "committed" || s.Status.Code != codes.Unset {
				t.Errorf("%s: %s, %v", s.Name, s.outcome(), s.Status)
			}
			commits[s.value(commitKey).AsInt64()] = true
			checkOrigins(t, all, s, producers[stage])
		}
		if status := statusOf(t, p, stage); len(commits) != len(list) || uint64(len(list)) != status.Commits-1 { // the fence has none
			t.Errorf("%s: %d spans of %d commits, and there were %d", stage, len(list), len(commits), status.Commits)
		}
		in, out := int64(n), int64(n)
		if stage == "numbers" {
			in = 0
		}
		if stage == "sink" {
			out = 0
		}
		if list.sum(inKey) != in || list.sum(outKey) != out {
			t.Errorf("%s: in %d and out %d", stage, list.sum(inKey), list.sum(outKey))
		}
	}
	// Whoever wrote something is linked to.
	for stage, producer := range producers {
		linked := map[trace.SpanID]bool{}
		for _, s := range all.of(stage) {
			for _, l := range s.Links {
				linked[l.SpanContext.SpanID()] = true
			}
		}
		for _, s := range all.of(producer) {
			if s.value(outKey).AsInt64() > 0 && !linked[s.SpanContext.SpanID()] {
				t.Errorf("%s: nothing of %s leads to commit %d", producer, stage, s.value(commitKey).AsInt64())
			}
		}
	}
	first := all.of("split")[0]
	for key, want := range map[attribute.Key]string{
		"messaging.system": "nats", "messaging.operation.type": "process", "messaging.destination.name": "numbers",
		"penstock.pipeline": "traced", "penstock.instance": "split.0",
	} {
		if got := first.value(key).AsString(); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if first.Name != "process split" || first.SpanKind != trace.SpanKindConsumer || all.of("numbers")[0].SpanKind != trace.SpanKindProducer {
		t.Errorf("%s is a %v", first.Name, first.SpanKind)
	}
}

// checkOrigins checks that a span leads to spans of its producer, each once, and
// that the first is its parent.
func checkOrigins(t *testing.T, all spans, s span, producer string) {
	t.Helper()
	seen := map[trace.SpanID]bool{}
	for _, l := range s.Links {
		origin, found := all.find(l.SpanContext.SpanID())
		if !found || origin.stage() != producer || seen[l.SpanContext.SpanID()] {
			t.Errorf("%s has a link to %q, twice: %v", s.Name, origin.Name, seen[l.SpanContext.SpanID()])
		}
		seen[l.SpanContext.SpanID()] = true
	}
	if s.value(inKey).AsInt64() == 0 {
		return
	}
	if len(s.Links) == 0 || s.Parent.SpanID() != s.Links[0].SpanContext.SpanID() || s.SpanContext.TraceID() != s.Links[0].SpanContext.TraceID() {
		t.Errorf("%s has the parent %s and the links %v", s.Name, s.Parent.SpanID(), s.Links)
	}
}

func statusOf(t *testing.T, p *engine.Pipeline, stage string) observe.StageStatus {
	t.Helper()
	return enginetest.Stage(t, p.Status(), stage)
}

var immediately = engine.RestartBackoff(supervise.Backoff{Jitter: -1})

// A frame that is undone has its error; its messages come again in another.
func TestSpanOfAnUndoneFrame(t *testing.T) {
	t.Parallel()
	p := engine.New("undone")
	numbers := engine.Source(p, "numbers", numbersTo(20))
	engine.Sink(p.With(immediately), "sink", numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		switch {
		case m.Value == 7 && m.Attempt == 1:
			panic("seven")
		case m.Value == 9:
			return engine.Reject(errors.New("nine"))
		}
		return nil
	})
	list := newTraced().run(t, p, t.TempDir()).of("sink")
	var panicked, committed, again spans
	for _, s := range list {
		switch {
		case s.outcome() == "committed":
			committed = append(committed, s)
			if s.value(attemptKey).AsInt64() == 2 {
				again = append(again, s)
			}
		case strings.Contains(s.Status.Description, "seven"):
			panicked = append(panicked, s)
		}
	}
	if len(panicked) != 1 {
		t.Fatalf("%d spans of the panic: %+v", len(panicked), list)
	}
	s := panicked[0]
	if s.Status.Code != codes.Error || s.outcome() != "undone" || s.value("error.type").AsString() != "panic" || s.value(commitKey).AsInt64() != 0 {
		t.Errorf("%v, %v", s.Status, s.Attributes)
	}
	if len(s.Events) != 1 || s.Events[0].Name != "exception" || !strings.Contains(span{tracetest.SpanStub{Attributes: s.Events[0].Attributes}}.value("exception.stacktrace").AsString(), "TestSpanOfAnUndoneFrame") {
		t.Errorf("events %+v", s.Events)
	}
	if len(again) != 1 || again[0].value(inKey).AsInt64() != 1 {
		t.Errorf("the second attempt: %+v", again)
	}
	if committed.sum(lettersKey) != 1 || committed.sum(inKey) != 20 {
		t.Errorf("%d letters, %d messages", committed.sum(lettersKey), committed.sum(inKey))
	}
}

// A call that alone is undone is an event of a frame that is committed.
func TestSpanOfAnUndoneCall(t *testing.T) {
	t.Parallel()
	p := engine.New("retried")
	numbers := engine.Source(p, "numbers", numbersTo(5))
	engine.Sink(p.With(engine.AttemptDelay(supervise.Immediate())), "sink", numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		if m.Value == 3 && m.Attempt == 1 {
			return errors.New("on purpose")
		}
		return nil
	})
	list := newTraced().run(t, p, t.TempDir()).of("sink")
	events := 0
	for _, s := range list {
		events += len(s.Events)
		if s.outcome() != "committed" || s.Status.Code != codes.Unset {
			t.Errorf("%s: %v", s.outcome(), s.Status)
		}
	}
	if events != 1 || list.sum(inKey) != 5 {
		t.Errorf("%d events, %d messages", events, list.sum(inKey))
	}
}

// garbling has its frames take along what is no context.
type garbling struct {
	frames.Tracer
	garbage frames.Context
}

type garbled struct {
	frames.Span
	garbage frames.Context
}

func (g garbling) Begin(b frames.Begin) frames.Span {
	return garbled{g.Tracer.Begin(b), g.garbage}
}

func (g garbled) Trace() frames.Context { return g.garbage }

func TestGarbageInTheHeaders(t *testing.T) {
	t.Parallel()
	const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for name, test := range map[string]struct {
		garbage frames.Context
		links   int
	}{
		"text":            {frames.Context{Parent: "hello"}, 0},
		"a line end":      {frames.Context{Parent: valid + "\r\nNats-Msg-Id: 1\r\n\r\n"}, 0},
		"zeros":           {frames.Context{Parent: "00-00000000000000000000000000000000-0000000000000000-01"}, 0},
		"a future":        {frames.Context{Parent: "ff" + valid[2:]}, 0},
		"long":            {frames.Context{Parent: strings.Repeat("0", 100_000)}, 0},
		"a bad state":     {frames.Context{Parent: valid, State: "==,=,"}, 1},
		"a long state":    {frames.Context{Parent: valid, State: strings.Repeat("a=b,", 100_000)}, 1},
		"a state and no…": {frames.Context{State: "a=b"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("garbled")
			engine.Sink(p, "sink", engine.Source(p, "numbers", numbersTo(3)), drop)
			e := newTraced()
			config := e.config(t.TempDir())
			config.Tracer = garbling{config.Tracer, test.garbage}
			if err := p.Run(t.Context(), config); err != nil || !p.Status().Completed {
				t.Fatal(err)
			}
			list := spansOf(e.GetSpans()).of("sink")
			if list.sum(inKey) != 3 {
				t.Errorf("%d messages", list.sum(inKey))
			}
			for _, s := range list {
				if s.value(inKey).AsInt64() > 0 && len(s.Links) != test.links {
					t.Errorf("links %v", s.Links)
				}
			}
		})
	}
}
