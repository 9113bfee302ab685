package telemetry

import (
	"slices"
	"testing"
	"time"

	"penstock/engine/observe"
)

// waiting is the status of a pipeline whose stage src waits so.
func waiting(waits ...observe.Wait) observe.Status {
	return observe.Status{
		Broker: &observe.BrokerStatus{Connected: true},
		Stages: []observe.StageStatus{{Name: "src", State: "running", Waits: waits}},
	}
}

func TestOverdueWaitIsAReasonNotToBeReady(t *testing.T) {
	t.Parallel()
	wait := observe.Wait{For: "room", Detail: "join holds the next one", Since: time.Date(2026, 1, 2, 12, 30, 1, 0, time.UTC), Seconds: 40}
	if r := readinessOf(waiting(wait)); !r.Ready || len(r.Degraded) > 0 {
		t.Errorf("a wait that is not overdue: %+v", r)
	}
	const why = "stage src waits for room (join holds the next one) since 12:30:01"
	wait.Overdue, wait.Readiness = true, observe.NotReady
	if r := readinessOf(waiting(wait)); r.Ready || !slices.Equal(r.Reasons, []string{why}) {
		t.Errorf("an overdue wait: %+v", r)
	}
	wait.Readiness = observe.Degraded
	if r := readinessOf(waiting(wait)); !r.Ready || !slices.Equal(r.Degraded, []string{why}) {
		t.Errorf("an overdue wait that degrades: %+v", r)
	}
	wait.Readiness = observe.NotReady
	status := waiting()
	status.Waits = []observe.Wait{wait}
	if r := readinessOf(status); r.Ready || r.Reasons[0] != "the pipeline waits for room (join holds the next one) since 12:30:01" {
		t.Errorf("an overdue wait of the run: %+v", r)
	}
}
