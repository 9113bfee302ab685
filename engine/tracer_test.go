package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/trace"
)

// tracer keeps what it is told of each span, which are numbered.
type tracer struct {
	mu    sync.Mutex
	spans []*tracedSpan
	sent  chan struct{} // a frame of the stage "numbers"
	sends func(stage string)
}

type tracedSpan struct {
	*tracer
	number  int
	begin   trace.Begin
	took    []string
	failed  []error
	ends    []trace.End
	working []uint64 // what calls worked for the frame
}

type spanKey struct{}

func (t *tracer) Begin(b trace.Begin) trace.Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &tracedSpan{tracer: t, number: len(t.spans), begin: b}
	t.spans = append(t.spans, s)
	return s
}

func (s *tracedSpan) Value(key any) any {
	if key == (spanKey{}) {
		return s
	}
	return nil
}

func (s *tracedSpan) Trace() trace.Context {
	if s.sends != nil {
		s.sends(s.begin.Stage)
	}
	return trace.Context{Parent: fmt.Sprintf("%s-%d", s.begin.Stage, s.number), State: s.begin.Instance}
}

func (s *tracedSpan) Took(stream string, from trace.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, stream+" "+from.Parent+" "+from.State)
}

func (s *tracedSpan) Failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, err)
}

func (s *tracedSpan) End(e trace.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, e)
	if s.sent != nil && s.begin.Stage == "numbers" && e.Out > 0 {
		s.sent <- struct{}{}
	}
}

// works notes that a call works for the span that its context shows.
func works(ctx context.Context, value uint64) {
	if s, ok := ctx.Value(spanKey{}).(*tracedSpan); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.working = append(s.working, value)
	}
}

// of returns the spans of a stage that have ended so.
func (t *tracer) of(stage string, outcome trace.Outcome) (list []*tracedSpan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.spans {
		if s.begin.Stage == stage && len(s.ends) == 1 && s.ends[0].Outcome == outcome {
			list = append(list, s)
		}
	}
	return list
}

// once checks that every commit of a stage in this run has one span, and every
// message that it took is in one.
func (t *tracer) once(tb testing.TB, stage observe.StageStatus) {
	tb.Helper()
	var in uint64
	commits := map[uint64]bool{}
	for _, s := range t.of(stage.Name, trace.Committed) {
		in += s.ends[0].In
		commits[s.ends[0].Commit] = true
	}
	if n := len(t.of(stage.Name, trace.Committed)); n != len(commits) || in != stage.In {
		tb.Errorf("%s: %d spans of %d commits, with %d of %d messages", stage.Name, n, len(commits), in, stage.In)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.spans {
		if len(s.ends) > 1 {
			tb.Errorf("a span of %s ended %d times: %+v", s.begin.Stage, len(s.ends), s.ends)
		}
	}
}

// next waits for a signal.
func next(ctx context.Context, signals <-chan struct{}) error {
	select {
	case <-signals:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *tracer) run(tt *testing.T, p *engine.Pipeline, dir string) error {
	tt.Helper()
	config := quiet(dir)
	config.Tracer = t
	return runBounded(tt, p, config)
}
