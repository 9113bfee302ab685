package telemetry

import (
	"fmt"
	"net/http"
	"slices"

	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// healthz says that the process lives.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons"` // why not
	// Degraded says why it does that, and not as it should. It takes nothing from Ready.
	Degraded []string `json:"degraded,omitempty"`
}

// readyz says whether the pipeline does what it is there for.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	r := readinessOf(s.pipeline.Status())
	code := http.StatusOK
	if !r.Ready {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, r)
}

// readinessOf is true when the broker is connected, every stage runs or has
// ended, and none waits for longer than it may.
func readinessOf(status observe.Status) Readiness {
	r := Readiness{Reasons: []string{}}
	if status.Broker == nil {
		r.Reasons = append(r.Reasons, "the pipeline has not started")
	} else if !status.Broker.Connected {
		reason := "no connection to the NATS server " + status.Broker.Server
		if status.Broker.Failure != "" {
			reason += ": " + status.Broker.Failure
		}
		r.Reasons = append(r.Reasons, reason)
	}
	r.waits("the pipeline", status.Waits)
	for _, stage := range status.Stages {
		r.waits("stage "+stage.Name, stage.Waits)
		if !stage.Ended && stage.State != supervise.StateRunning.String() && !isOnlyDegraded(stage) {
			r.Reasons = append(r.Reasons, fmt.Sprintf("stage %s is %s", stage.Name, stage.State))
		}
	}
	if status.Disk != nil && status.Disk.State != "enough" {
		r.Reasons = append(r.Reasons, "the free space on the disk is "+status.Disk.State)
	}
	r.Ready = len(r.Reasons) == 0
	return r
}

// isOnlyDegraded says that a stage does not run yet because its Start hook waits
// for what it calls, and that this alone does not make the pipeline unready.
func isOnlyDegraded(stage observe.StageStatus) bool {
	return stage.State == supervise.StateStarting.String() && slices.ContainsFunc(stage.Waits, func(w observe.Wait) bool {
		return w.For == observe.WaitUnavailable && w.Readiness == observe.Degraded
	})
}

// waits adds those that are overdue.
func (r *Readiness) waits(who string, list []observe.Wait) {
	for _, wait := range list {
		reason := who + " waits for " + wait.String()
		switch wait.Readiness {
		case observe.NotReady:
			r.Reasons = append(r.Reasons, reason)
		case observe.Degraded:
			r.Degraded = append(r.Degraded, reason)
		}
	}
}
