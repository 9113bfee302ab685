package engine

import (
	"context"
	"reflect"

	"penstock/engine/internal/plan"
	"penstock/engine/observe"
)

// SourceFunc produces values. Each call may emit any number and keeps its
// place (a file offset, the last tick) in the state; when it returns nil, what
// it emitted and the state are committed together. It may block, for as long
// as it returns soon after ctx is done. io.EOF (also with values emitted in
// the same call) ends the source for good. It may return Reject for what it can
// make no value of. OnUnfit says what happens with a value that cannot be sent.
type SourceFunc[S, Out any] func(ctx context.Context, state *S, emit Emit[Out]) error

// MessageFunc handles one message of one input. It reads and changes the
// state, emits, and returns: nil when it is done with the message, Hold,
// Snooze or Reject, io.EOF to end the stage after this message, and any other
// error (or a panic) for a failure, which undoes everything the call did and
// counts an attempt. It cannot acknowledge, commit or lose a message.
type MessageFunc[S, In, Out any] func(ctx context.Context, state *S, m Message[In], emit Emit[Out]) error

// Source declares a stage without input. Its Part may be Hooks or StateCodec.
func Source[S, Out any](scope Scope, name string, fn SourceFunc[S, Out], parts ...Part[S, Out]) *Stream[Out] {
	stream, t := declare(scope, name, observe.KindSource, parts)
	t.source = fn
	if fn == nil {
		t.stage.Problem("its function is nil")
	}
	return stream
}

// Stage declares a processor: at least one On or OnBatch, and where needed
// Every, Hooks and StateCodec. All of them share the state S (or, when the
// inputs are read by KeyBy, have one S per key), and are called by one
// goroutine, one at a time.
func Stage[S, Out any](scope Scope, name string, parts ...Part[S, Out]) *Stream[Out] {
	stream, _ := declare(scope, name, observe.KindProcessor, parts)
	return stream
}

// Sink declares a stage that has its effect outside: write is called for each
// message, and its position is committed afterwards. After a crash the last
// messages come again unless the sink can undo or recognise them: see Hooks
// (BeforeCommit, Start) and Message.ID. A sink with several inputs is a Stage
// whose output is None.
func Sink[S, In any](scope Scope, name string, in *Stream[In], write func(ctx context.Context, state *S, m Message[In]) error, parts ...Part[S, None]) {
	handler := On(in, func(ctx context.Context, state *S, m Message[In], _ Emit[None]) error {
		return write(ctx, state, m)
	})
	declare(scope, name, observe.KindSink, append([]Part[S, None]{handler}, parts...))
}

// SinkBatch declares a sink that gets many messages in one call, as many as
// have arrived and at most BatchSize. A batch that fails is tried again
// message by message, so that only the guilty one counts attempts.
func SinkBatch[S, In any](scope Scope, name string, in *Stream[In], write func(ctx context.Context, state *S, batch []Message[In]) error, parts ...Part[S, None]) {
	handler := OnBatch(in, func(ctx context.Context, state *S, batch []Message[In], _ Emit[None]) error {
		return write(ctx, state, batch)
	})
	declare(scope, name, observe.KindSink, append([]Part[S, None]{handler}, parts...))
}

func declare[S, Out any](scope Scope, name string, kind observe.Kind, parts []Part[S, Out]) (*Stream[Out], *typed[S, Out]) {
	where := scope.scope()
	p := where.pipeline
	stream := newStream[Out](p)
	d := where.declare(name, kind, stream.definition, reflect.TypeFor[Out]())
	d.Stateless = reflect.TypeFor[S]().Size() == 0
	t := &typed[S, Out]{stage: d, pipeline: p, codec: DefaultCodec[S](), output: stream.code}
	for _, part := range parts {
		part.addTo(t)
	}
	d.StateCodec = func() string { return t.codec.Name() }
	d.Problems = append(d.Problems, unsavable("state", t.codec)...)
	p.codes[d] = t
	return &stream, t
}

// declare adds a stage to the plan, without its functions. out is the type of what it emits to the stream.
func (s *scoped) declare(name string, kind observe.Kind, stream *plan.Stream, out reflect.Type) *plan.Stage {
	p := s.pipeline.plan
	d := &plan.Stage{Pipeline: p, Group: s.group, Name: name, Kind: kind, Options: s.options}
	if out != reflect.TypeFor[None]() {
		d.Output = stream
	} else if kind == observe.KindProcessor {
		d.Kind = observe.KindSink
	}
	stream.Owner = d
	for _, branch := range s.options.Branches {
		if branch.Owner != nil {
			p.Mistake("branch %q is given to the stages %q and %q", branch.Branch, branch.Owner.Name, name)
		}
		branch.Owner = d
	}
	p.Stages = append(p.Stages, d)
	s.group.Members = append(s.group.Members, plan.Member{Stage: d})
	return d
}
