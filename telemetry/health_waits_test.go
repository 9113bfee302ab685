package telemetry

import (
	"slices"
	"testing"
	"time"

	"penstock/engine"
)

// waiting is the status of a pipeline whose stage src waits so.
func waiting(waits ...engine.Wait) engine.Status {
	return engine.Status{
		Broker: &engine.BrokerStatus{Connected: true},
		Stages: []engine.StageStatus{{Name: "src", State: "running", Waits: waits}},
	}
}

func TestOverdueWaitIsAReasonNotToBeReady(t *testing.T) {
	t.Parallel()
	wait := engine.Wait{For: "room", Detail: "join holds the next one", Since: time.Date(2026, 1, 2, 12, 30, 1, 0, time.UTC), Seconds: 40}
	if r := readinessOf(waiting(wait)); !r.Ready || len(r.Degraded) > 0 {
		t.Errorf("a wait that is not overdue: %+v", r)
	}
	const why = "stage src waits for room (join holds the next one) since 12:30:01"
	wait.Overdue, wait.Readiness = true, engine.NotReady
	if r := readinessOf(waiting(wait)); r.Ready || !slices.Equal(r.Reasons, []string{why}) {
		t.Errorf("an overdue wait: %+v", r)
	}
	wait.Readiness = engine.Degraded
	if r := readinessOf(waiting(wait)); !r.Ready || !slices.Equal(r.Degraded, []string{why}) {
		t.Errorf("an overdue wait that degrades: %+v", r)
	}
	wait.Readiness = engine.NotReady
	status := waiting()
	status.Waits = []engine.Wait{wait}
	if r := readinessOf(status); r.Ready || r.Reasons[0] != "the pipeline waits for room (join holds the next one) since 12:30:01" {
		t.Errorf("an overdue wait of the run: %+v", r)
	}
}

func TestOverdueWaitIsShown(t *testing.T) {
	t.Parallel()
	status := waiting(engine.Wait{For: "room", Overdue: true, Seconds: 40}, engine.Wait{For: "user function", Seconds: 9})
	sample := (&sampler{}).stage(&status.Stages[0], 1)
	if sample.Color != Orange || len(sample.Waits) != 1 {
		t.Errorf("the sample is %+v", sample)
	}
	seconds := map[string]float64{}
	giveWaits(status.Stages[0].Waits, func(v float64, labels ...string) { seconds[labels[0]] = v })
	if seconds["room"] != 40 || len(seconds) != len(engine.WaitKinds()) {
		t.Errorf("the overdue waits are %v", seconds)
	}
}
