package crash

import (
	"slices"
	"testing"

	"penstock/engine/faultpoint"
)

// workload is something to be killed, and the judge of what it leaves.
type workload struct {
	name  string
	args  func(s site) []string
	check func(t *testing.T, s site) error // of a complete run
	// places are the fault points it passes.
	places []place
	// lines is about how many lines it says from its start to the end.
	lines int
}

// place is a fault point as a stage passes it; at most most times in a run is to be counted on.
type place struct {
	point string
	stage string // "": it has none
	most  int
}

// stagePlaces are the points that a stage passes.
func stagePlaces(stage string, messages, commits int) []place {
	return []place{
		{faultpoint.MidProcess, stage, messages},
		{faultpoint.BeforePublish, stage, commits},
		{faultpoint.PublishSent, stage, commits},
		{faultpoint.AfterPublish, stage, commits},
		{faultpoint.BeforeAck, stage, commits},
		{faultpoint.MidRecovery, stage, 1},
		{faultpoint.AfterClaim, stage, 1},
		{faultpoint.AfterSeal, stage, 1},
		{faultpoint.AfterFence, stage, 1},
	}
}

// readerPlaces are the points of a stage that has inputs.
func readerPlaces(stage string, messages, commits int) []place {
	return append(stagePlaces(stage, messages, commits), place{faultpoint.AfterPeek, stage, commits})
}

func without(places []place, point string) []place {
	return slices.DeleteFunc(places, func(p place) bool { return p.point == point })
}

// commonPlaces are the points that belong to no stage.
func commonPlaces(checkpoints int) []place {
	return []place{
		{faultpoint.BeforeCheckpoint, "", checkpoints}, {faultpoint.AfterCheckpoint, "", checkpoints},
		{faultpoint.AllStopped, "", 1},
	}
}

func trimPlaces(most int, stages ...string) (list []place) {
	for _, stage := range stages {
		list = append(list, place{faultpoint.MidTrim, stage, most})
	}
	return list
}
