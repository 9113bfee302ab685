package engine

import (
	"context"
	"io"

	"penstock/engine/internal/task"
)

// EndChecker is for the state of a source that has to know of changes to what it
// has read, until the run is complete. A source that has ended is not called any
// more. If its state, or a pointer to it, is an EndChecker, each further start of
// the run calls it once before the stages start, with a context for which IsEndCheck is
// true: it looks whether its input is as it was, and returns io.EOF, or an error
// that stops the run. What it emits or does to its state in that call is not
// kept. A run that was complete before, and goes on for a replayed dead letter,
// is not checked.
//
// A struct that embeds such a state is one too.
type EndChecker interface {
	ChecksEnd() // has no effect: it marks the type
}

// IsEndCheck says that the source has ended, and is called as EndChecker says.
func IsEndCheck(ctx context.Context) bool { return task.IsEndCheck(ctx) }

func (m *typedProcessor[S, Out]) ChecksEnd() bool {
	_, is := any((*S)(nil)).(EndChecker)
	return is && m.code.source != nil
}

func (m *typedProcessor[S, Out]) CallEndCheck(ctx context.Context) error {
	err := m.code.source(ctx, m.whole.Get(), func(Out, ...EmitOption) {})
	if err == io.EOF {
		return nil
	}
	return err
}
