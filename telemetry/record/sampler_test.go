package record

import (
	"slices"
	"testing"

	"penstock/engine/observe"
)

func TestOverdueWaitIsShown(t *testing.T) {
	t.Parallel()
	stage := observe.StageStatus{Name: "worker", State: "running", Waits: []observe.Wait{
		{For: "room", Overdue: true, Seconds: 40}, {For: "user function", Seconds: 9},
	}}
	sample := (&sampler{}).stage(&stage, 1)
	if sample.Color != Orange || len(sample.Waits) != 1 {
		t.Errorf("the sample is %+v", sample)
	}
}

func TestRareCountsAreShownOnceTheyAreNotZero(t *testing.T) {
	t.Parallel()
	stage := observe.StageStatus{Name: "worker", State: "running"}
	stage.In, stage.Starts = 5, 1
	if sample := (&sampler{}).stage(&stage, 1); sample.Counts != nil {
		t.Errorf("the counts are %v", sample.Counts)
	}
	stage.Dropped, stage.Killed = 2, 3
	if sample := (&sampler{}).stage(&stage, 1); !slices.Equal(sample.Counts, []observe.Count{{Of: "dropped", N: 2}, {Of: "killed", N: 3}}) {
		t.Errorf("the counts are %v", sample.Counts)
	}
}
