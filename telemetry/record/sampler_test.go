package record

import (
	"testing"

	"penstock/engine"
)

func TestOverdueWaitIsShown(t *testing.T) {
	t.Parallel()
	stage := engine.StageStatus{Name: "worker", State: "running", Waits: []engine.Wait{
		{For: "room", Overdue: true, Seconds: 40}, {For: "user function", Seconds: 9},
	}}
	sample := (&sampler{}).stage(&stage, 1)
	if sample.Color != Orange || len(sample.Waits) != 1 {
		t.Errorf("the sample is %+v", sample)
	}
}
