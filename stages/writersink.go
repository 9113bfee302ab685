package stages

import (
	"context"
	"fmt"
	"io"

	"penstock/engine"
)

// WriterSink declares a sink that writes every message to w at least once, in
// the order of the stream. What it wrote is buffered and given to w before
// each commit at the latest; after a crash the messages since the last commit
// come again.
//
// w is used by one goroutine at a time and is not closed. When it fails the
// stage is restarted, with growing delays, and tries again.
func WriterSink[T any](scope engine.Scope, name string, in *engine.Stream[T], w io.Writer, format Format[T]) {
	sink := writerSink[T]{w: w, format: format}
	engine.Sink(scope, name, in, sink.write, engine.Hooks[writerState, engine.None]{BeforeCommit: sink.beforeCommit})
}

// writerState counts for those who look at it. A rollback forgets the buffer,
// as it should.
type writerState struct {
	Messages uint64 `json:"messages"`
	buffer   []byte `json:"-"`
	err      error  `json:"-"` // of the first failed write
}

type writerSink[T any] struct {
	w      io.Writer
	format Format[T]
}

// write does not answer with a failed write: it is not the message's fault,
// and must not count as one. beforeCommit tells it.
func (s writerSink[T]) write(_ context.Context, state *writerState, m engine.Message[T]) error {
	state.buffer = s.format(state.buffer, m.Value)
	state.Messages++
	if len(state.buffer) >= flushAt {
		s.flush(state)
	}
	return nil
}

func (s writerSink[T]) beforeCommit(_ context.Context, state *writerState) error {
	s.flush(state)
	if state.err != nil {
		return fmt.Errorf("write to the sink's writer: %w", state.err)
	}
	return nil
}

// flush remembers its first error and does nothing after it.
func (s writerSink[T]) flush(state *writerState) {
	if state.err == nil && len(state.buffer) > 0 {
		_, state.err = s.w.Write(state.buffer)
	}
	state.buffer = state.buffer[:0]
}
