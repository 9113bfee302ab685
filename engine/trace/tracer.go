package trace

import "penstock/engine/observe"

// Tracer follows the frames of a pipeline (see Config.Tracer): each frame gets a
// span, from the first call that belongs to it until its commit is on disk. What
// the frame takes along leads the stages that read it to that span, also in a
// later process. Function NewTracer of package telemetry makes one for OpenTelemetry.
//
// It is called by every stage's own goroutine, in the middle of its work, and
// must neither block nor panic.
type Tracer interface {
	Begin(Begin) Span
}

// Span is the span of one frame of one stage. Value may be called by any
// goroutine, and End beside another call; everything else comes one by one.
type Span interface {
	// Value is what the contexts of the stage's functions answer as long as
	// these work for the frame; nil: what they would answer anyway.
	Value(key any) any
	// Trace is what the frame takes along.
	Trace() Context
	// Took says that the frame takes messages of a stream, which came in a
	// frame with this context. It is called once for each run of such messages.
	Took(stream string, from Context)
	// Failed says that a call failed and was undone, while the frame goes on.
	Failed(error)
	// End is the last call but for Value.
	End(End)
}

// Context leads to a span, in the words of W3C Trace Context. The zero
// value leads nowhere. It comes out of a message's headers, where any client may
// have written anything.
type Context struct {
	Parent string // traceparent
	State  string // tracestate
}

// Begin is what is known of a frame when its span begins.
type Begin struct {
	Pipeline string
	Stage    string
	Instance string // "worker.0"
	Kind     observe.Kind
	Epoch    uint64
	// Stream is what the first message comes from; of a source, what it writes.
	// A frame that begins with a timer or a hook has none.
	Stream string
	From   Context // of the first message
}

// End is what became of a frame.
type End struct {
	Outcome     Outcome
	Err         error  // why it is undone; nil: no failure
	Commit      uint64 // its number, from 1
	In, Out     uint64 // messages
	Calls       uint64 // of a source, instead of In
	Bytes       int    // as it was sent
	Attempt     int    // the highest of its messages
	DeadLetters int
}

// Outcome says how a frame ended.
type Outcome string

const (
	Committed Outcome = "committed"
	Undone    Outcome = "undone"  // its messages come again
	Unknown   Outcome = "unknown" // sent, and the stage stopped before the answer
)
