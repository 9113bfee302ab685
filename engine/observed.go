package engine

import "penstock/engine/internal/task"

type (
	Tracer       = task.Tracer
	FrameSpan    = task.FrameSpan
	TraceContext = task.TraceContext
	FrameBegin   = task.FrameBegin
	FrameEnd     = task.FrameEnd
	FrameOutcome = task.FrameOutcome
)

const (
	FrameCommitted = task.FrameCommitted
	FrameUndone    = task.FrameUndone
	FrameUnknown   = task.FrameUnknown
)

// WaitKinds lists the kinds of waits.
func WaitKinds() []string { return task.WaitKinds() }
