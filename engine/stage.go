package engine

import (
	"context"
	"fmt"
	"reflect"
)

// Kind is what a stage is in the graph.
type Kind string

const (
	KindSource    Kind = "source"    // no input
	KindProcessor Kind = "processor" // reads and writes
	KindSink      Kind = "sink"      // reads, has its effect outside
)

// definition is a declared stage without its types.
type definition struct {
	pipeline     *Pipeline
	group        *group
	name         string
	kind         Kind
	inputs       []*inputDefinition
	timers       []timerDefinition
	setsTimers   bool              // some are set by its functions
	output       *streamDefinition // nil for None
	options      options
	problems     []error
	newProcessor func(in *task) processor
	recover      recoverFunc // nil: the restart policy decides
	stateCodec   func() string
}

// inputDefinition is one stream as read by one stage.
type inputDefinition struct {
	index  int
	stage  *definition
	stream *streamDefinition
	keyed  bool
	batch  bool
}

func (d *definition) keyed() bool { return len(d.inputs) > 0 && d.inputs[0].keyed }

// destinations are the streams the stage writes: its own, then its branches.
func (d *definition) destinations() []*streamDefinition {
	var list []*streamDefinition
	if d.output != nil {
		list = append(list, d.output)
	}
	return append(list, d.options.branches...)
}

// destination is the place of a stream among the destinations.
func (d *definition) destination(s *streamDefinition) int {
	first := 0
	if d.output != nil {
		if d.output == s {
			return 0
		}
		first = 1
	}
	for i, branch := range d.options.branches {
		if branch == s {
			return first + i
		}
	}
	panic(fmt.Sprintf("engine: stage %s does not write %s", d.name, s))
}

// capacity is the bound of the stage's channel: the smallest of its streams'.
func (d *definition) capacity() Capacity {
	bound := Capacity{}.orDefault()
	for i, stream := range d.destinations() {
		c := stream.capacity.orDefault()
		if i == 0 {
			bound = c
			continue
		}
		bound.Messages = min(bound.Messages, c.Messages)
		bound.Bytes = min(bound.Bytes, c.Bytes)
	}
	return bound
}

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
	stream, t := declare(scope, name, KindSource, parts)
	t.source = fn
	if fn == nil {
		t.problems = append(t.problems, fmt.Errorf("its function is nil"))
	}
	return stream
}

// Stage declares a processor: at least one On or OnBatch, and where needed
// Every, Hooks and StateCodec. All of them share the state S (or, when the
// inputs are read by KeyBy, have one S per key), and are called by one
// goroutine, one at a time.
func Stage[S, Out any](scope Scope, name string, parts ...Part[S, Out]) *Stream[Out] {
	stream, _ := declare(scope, name, KindProcessor, parts)
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
	declare(scope, name, KindSink, append([]Part[S, None]{handler}, parts...))
}

// SinkBatch declares a sink that gets many messages in one call, as many as
// have arrived and at most BatchSize. A batch that fails is tried again
// message by message, so that only the guilty one counts attempts.
func SinkBatch[S, In any](scope Scope, name string, in *Stream[In], write func(ctx context.Context, state *S, batch []Message[In]) error, parts ...Part[S, None]) {
	handler := OnBatch(in, func(ctx context.Context, state *S, batch []Message[In], _ Emit[None]) error {
		return write(ctx, state, batch)
	})
	declare(scope, name, KindSink, append([]Part[S, None]{handler}, parts...))
}

func declare[S, Out any](scope Scope, name string, kind Kind, parts []Part[S, Out]) (*Stream[Out], *typed[S, Out]) {
	where := scope.scope()
	p, opts := where.pipeline, where.options
	stream := newStream[Out](p)
	d := &definition{pipeline: p, group: where.group, name: name, kind: kind, options: opts}
	t := &typed[S, Out]{definition: d, codec: DefaultCodec[S](), output: stream.codec}
	if reflect.TypeFor[Out]() != reflect.TypeFor[None]() {
		d.output = stream.definition
	} else if kind == KindProcessor {
		d.kind = KindSink
	}
	stream.definition.owner = d
	for _, branch := range opts.branches {
		if branch.owner != nil {
			p.mistake("branch %q is given to the stages %q and %q", branch.branch, branch.owner.name, name)
		}
		branch.owner = d
	}
	for _, part := range parts {
		part.addTo(t)
	}
	d.stateCodec = func() string { return t.codec.Name() }
	d.newProcessor = func(in *task) processor { return newProcessor(t, in) }
	d.problems = append(d.problems, unsavable("state", t.codec)...)
	d.recover = t.recover
	p.stages = append(p.stages, d)
	where.group.members = append(where.group.members, member{stage: d})
	return &stream, t
}
