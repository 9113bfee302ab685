package engine

import (
	"fmt"
	"time"

	"penstock/engine/internal/task"
)

// Message is one value with where it comes from.
type Message[T any] struct {
	Value T
	// Key is the message's key: what KeyBy computed, else what it was
	// emitted with (WithKey), else "".
	Key string
	// Time is when it happened: what it was emitted with (WithTime), else
	// the time of the message it was made from, else when the source's call
	// first emitted something.
	Time time.Time
	// Offset is its dense number in its stream: 0, 1, 2 …
	Offset uint64
	// Attempt is 1 at the first try, and one more after each failure,
	// also across restarts of the process.
	Attempt int
	// Replay is 0 at a first delivery. A message that became a dead letter and
	// is replayed has its old Offset, and here the number of the request for the
	// replay: 1 or more, and higher for each later request of the pipeline.
	Replay uint64

	input *task.Input
	past  *task.Past // what it came by at first; nil: input
}

// Delivery says which delivery of which message this is, without its value. A
// sink that keeps in its own database what it has needs it: see
// stages.Positions. Safe for concurrent use.
type Delivery struct {
	// Stream is "stage" or "stage/branch"; with partitions it tells the instances too: "tally.1", "orders>tally.1".
	Stream string
	Offset uint64 // of the message in its stream
	Replay uint64 // 0: a first delivery; see Message
	// Run is the run that the offset belongs to: see Info. When a pipeline starts from the beginning, its offsets do so,
	// too.
	Run string
	// Settled is the lowest offset that may still come as a first delivery.
	// What is below it is committed, and comes again only as a replay.
	Settled uint64
}

// Delivery returns which delivery of which message this is.
func (m Message[T]) Delivery() Delivery {
	d := Delivery{Offset: m.Offset, Replay: m.Replay}
	switch {
	case m.past != nil:
		d.Stream, d.Settled, d.Run = m.past.String(), m.past.Taken(), m.input.Run()
	case m.input != nil:
		d.Stream, d.Settled, d.Run = m.input.String(), m.input.Taken(), m.input.Run()
	}
	return d
}

// ID names the message for good: stream, producer instance and offset. It is
// the same at every attempt and when its dead letter is replayed, so it serves as
// an idempotency key.
func (m Message[T]) ID() string {
	switch {
	case m.past != nil:
		return m.past.ID(m.Offset)
	case m.input == nil:
		return fmt.Sprintf("?:%d", m.Offset)
	}
	return m.input.ID(m.Offset)
}

// Emit sends a value to the stage's stream. It takes effect when the call
// that got it returns nil and its frame is committed, together with the
// state change and the position: all or nothing. It is only for use within
// that call, by its goroutine.
//
// A value larger than a frame can hold makes the call fail, and so does one that
// its codec refuses; see Try, and for sources OnUnfit.
type Emit[T any] func(value T, options ...EmitOption)

// EmitOption adds something to an emitted value.
type EmitOption func(*task.Emission)

// WithKey emits the value with a key.
func WithKey(key string) EmitOption { return func(e *task.Emission) { e.Key = key } }

// WithTime emits the value with the time at which it happened.
func WithTime(t time.Time) EmitOption { return func(e *task.Emission) { e.Time = t } }

// None is the output type of a stage that emits nothing: a sink.
type None struct{}
