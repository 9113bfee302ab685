package telemetry

import (
	"testing"
	"time"

	"penstock/engine/observe"
)

// A Start hook that waits for what it calls leaves its stage starting: whether
// that is ready is said by the wait.
func TestReadinessWhileAStartHookWaits(t *testing.T) {
	t.Parallel()
	for readiness, want := range map[string]bool{observe.Degraded: true, observe.NotReady: false} {
		r := readinessOf(observe.Status{
			Broker: &observe.BrokerStatus{Connected: true},
			Stages: []observe.StageStatus{{Name: "worker", State: "starting", Waits: []observe.Wait{
				{For: observe.WaitUnavailable, Detail: "start: no route", Since: time.Now(), Overdue: true, Readiness: readiness},
			}}},
		})
		if r.Ready != want || want && len(r.Degraded) != 1 {
			t.Errorf("%s: %+v", readiness, r)
		}
	}
	r := readinessOf(observe.Status{Broker: &observe.BrokerStatus{Connected: true}, Stages: []observe.StageStatus{{Name: "worker", State: "starting"}}})
	if r.Ready {
		t.Errorf("a stage that starts is ready: %+v", r)
	}
}

func TestReadinessSaysWhyThereIsNoConnection(t *testing.T) {
	t.Parallel()
	r := readinessOf(observe.Status{Broker: &observe.BrokerStatus{Server: "nats://h:1", Failure: "the server rejects the login of user x: nats: Authorization Violation"}})
	if r.Ready || r.Reasons[0] != "no connection to the NATS server nats://h:1: the server rejects the login of user x: nats: Authorization Violation" {
		t.Errorf("%+v", r)
	}
}
