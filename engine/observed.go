package engine

import "penstock/engine/internal/task"

type (
	Wait             = task.Wait
	DiskStatus       = task.DiskStatus
	CheckpointStatus = task.CheckpointStatus
	StageMeasures    = task.StageMeasures
	InputMeasures    = task.InputMeasures
	Tracer           = task.Tracer
	FrameSpan        = task.FrameSpan
	TraceContext     = task.TraceContext
	FrameBegin       = task.FrameBegin
	FrameEnd         = task.FrameEnd
	FrameOutcome     = task.FrameOutcome
)

const (
	FrameCommitted  = task.FrameCommitted
	FrameUndone     = task.FrameUndone
	FrameUnknown    = task.FrameUnknown
	NotReady        = task.NotReady
	Degraded        = task.Degraded
	WaitUnavailable = task.WaitUnavailable
)

// WaitKinds lists the kinds of waits.
func WaitKinds() []string { return task.WaitKinds() }
