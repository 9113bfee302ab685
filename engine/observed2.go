package engine

import "penstock/engine/observe"

type (
	Wait             = observe.Wait
	DiskStatus       = observe.DiskStatus
	CheckpointStatus = observe.CheckpointStatus
	StageMeasures    = observe.StageMeasures
	InputMeasures    = observe.InputMeasures
)

const (
	NotReady        = observe.NotReady
	Degraded        = observe.Degraded
	WaitUnavailable = observe.WaitUnavailable
)
