package task

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"

	"penstock/engine/channel"
	"penstock/engine/internal/plan"
	"penstock/engine/trace"
)

// tracing holds the spans of a task's frames. What takes one out of it
// ends it: the loop, or who abandons the task. Without a tracer all of it
// stays empty.
type tracing struct {
	tracer trace.Tracer
	now    atomic.Pointer[tracedFrame] // that the calls work for
	sent   atomic.Pointer[tracedFrame] // whose commit is under way

	// Of a source, whose function runs while its finished calls are committed.
	// Under the batch's lock.
	finished atomic.Pointer[tracedFrame] // of calls that have ended, when the one under way belongs to the next frame
	calling  bool
}

// tracedFrame is a frame with a span that has not ended.
type tracedFrame struct {
	span    trace.Span
	err     error // of a call that failed
	attempt int
	letters int
}

var errLeft = errors.New("the function of its stage did not return and was abandoned")

// tracedContext is the context of a stage's functions. It answers with the span
// of the frame that they work for at the moment, so that it need not be made
// anew for each.
type tracedContext struct {
	context.Context
	traces *tracing
}

func (c tracedContext) Value(key any) any {
	if f := c.traces.now.Load(); f != nil {
		if value := f.span.Value(key); value != nil {
			return value
		}
	}
	return c.Context.Value(key)
}

// context is that of the stage's functions.
func (t *tracing) context(ctx context.Context) context.Context {
	if t.tracer == nil {
		return ctx
	}
	return tracedContext{ctx, t}
}

// traceCall comes before a call with the head of an input, or with none: the
// first of a frame begins its span.
func (t *Task) traceCall(i *Input) {
	if tr := &t.Traces; tr.tracer != nil && tr.now.Load() == nil {
		tr.now.Store(t.beginTrace(i))
	}
}

func (t *Task) beginTrace(i *Input) *tracedFrame {
	d := t.Definition
	begin := trace.Begin{Pipeline: d.Pipeline.Name, Stage: d.Name, Instance: t.ID.String(), Kind: d.Kind, Epoch: t.Ownership.Epoch}
	switch {
	case i != nil:
		begin.Stream = i.String()
		_, from := i.origin()
		begin.From = trace.Context(from)
	case d.Kind == plan.KindSource && d.Output != nil:
		begin.Stream = d.Output.String()
	}
	return &tracedFrame{span: t.Traces.tracer.Begin(begin)}
}

// origin is the frame that the head of an input came in.
func (i *Input) origin() (sequence uint64, trace channel.Trace) {
	switch {
	case i.Replays != nil:
		return 0, channel.Trace{}
	case i.picked > 0:
		w := &i.waiting[i.picked-1]
		return w.sequence, w.trace
	}
	d := &i.queue[i.frame]
	return d.Sequence, d.Trace
}

// traceHead says that the head of an input is about to be taken.
func (t *Task) traceHead(i *Input) {
	if t.Traces.tracer == nil {
		return
	}
	f := t.Traces.now.Load()
	if f == nil { // the task was abandoned
		return
	}
	f.attempt = max(f.attempt, i.head.Attempt)
	sequence, from := i.origin()
	if i.traced == f && i.tracedAt == sequence {
		return
	}
	i.traced, i.tracedAt = f, sequence
	if from != (channel.Trace{}) {
		f.span.Took(i.String(), trace.Context(from))
	}
}

// tracePassed says that a message was given up: f is how, and whether a letter
// tells of it.
func (t *Task) tracePassed(i *Input, f *Failure, letters int) {
	t.traceCall(i)
	t.traceHead(i)
	if now := t.Traces.now.Load(); now != nil {
		now.attempt = max(now.attempt, f.Count)
		now.letters += letters
	}
}

// traceFailed says that a call failed which alone is undone.
func (t *Task) traceFailed(err error) {
	if f := t.Traces.now.Load(); f != nil {
		f.err = err
		f.span.Failed(err)
	}
}

// traceNothing is called when a call was undone without a failure (Hold, Snooze, Unavailable). A span that holds only
// this call is dropped.
func (t *Task) traceNothing() {
	if f := t.Traces.now.Load(); f != nil && f.err == nil && t.Batch.Calls == 0 {
		t.Traces.now.Store(nil)
	}
}

// traceSent says that what was gathered is about to be sent, and returns what
// goes with it.
func (t *Task) traceSent() channel.Trace {
	tr := &t.Traces
	if tr.tracer == nil {
		return channel.Trace{}
	}
	f := tr.finished.Swap(nil)
	if f == nil {
		t.traceCall(nil) // of a last frame nothing was called for
		f = tr.now.Swap(nil)
		if tr.calling { // and its outputs go to the next frame
			t.traceCall(nil)
		}
	}
	tr.sent.Store(f)
	return channel.Trace(f.span.Trace())
}

// traceCommitted ends the span of a commit that is on disk.
func (t *Task) traceCommitted(x *txn) {
	sent := t.Traces.sent.Swap(nil)
	if sent == nil {
		return
	}
	end := trace.End{
		Outcome: trace.Committed, Commit: x.frame.Commit, Bytes: len(x.data),
		Attempt: sent.attempt, DeadLetters: sent.letters,
	}
	end.In, end.Calls = t.role.counts(x.taken)
	for d := range x.frame.Sections {
		end.Out += uint64(x.frame.Sections[d].Count)
	}
	sent.span.End(end)
}

// traceLost ends the span of a commit that is not in the channel.
func (t *Task) traceLost(err error) {
	if sent := t.Traces.sent.Swap(nil); sent != nil {
		sent.span.End(trace.End{Outcome: trace.Undone, Err: err})
	}
}

// traceUndone ends the spans of frames that were not sent. A span without a call and without an error is dropped.
func (t *Task) traceUndone(err error) {
	for _, place := range []*atomic.Pointer[tracedFrame]{&t.Traces.finished, &t.Traces.now} {
		f := place.Swap(nil)
		if f == nil {
			continue
		}
		if cause := cmp.Or(err, f.err); cause != nil || t.Batch.Calls > 0 {
			f.span.End(trace.End{Outcome: trace.Undone, Err: cause, Attempt: f.attempt})
		}
	}
}

// Leave ends the spans of a task that is over. It may be called while a
// function that hangs holds the rest of the task.
func (t *tracing) Leave(err error) {
	if sent := t.sent.Swap(nil); sent != nil {
		sent.span.End(trace.End{Outcome: trace.Unknown})
	}
	for _, place := range []*atomic.Pointer[tracedFrame]{&t.finished, &t.now} {
		if f := place.Swap(nil); f != nil {
			f.span.End(trace.End{Outcome: trace.Undone, Err: err})
		}
	}
}
