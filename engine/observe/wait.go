package observe

import "time"

// Wait is something that a stage, or the run beside its stages, waits for. One
// that is over within a second is not told of.
type Wait struct {
	For     string    `json:"for"`              // its kind: "room", "commit", "reader" …; docs/operations.md lists them
	Detail  string    `json:"detail,omitempty"` // what exactly, and what keeps it
	Since   time.Time `json:"since"`
	Seconds float64   `json:"seconds"` // since then
	Overdue bool      `json:"overdue"` // it lasts longer than it does for good reasons
	// Readiness is what the pipeline is while the wait is overdue: NotReady or
	// Degraded. "": the wait is not overdue.
	Readiness string `json:"readiness,omitempty"`
}

// String is "room in its channel (join holds …) since 12:30:01".
func (w Wait) String() string {
	text := w.For
	if w.Detail != "" {
		text += " (" + w.Detail + ")"
	}
	return text + " since " + w.Since.Format(time.TimeOnly)
}

// WaitUnavailable is the kind of the wait for something that a function of the
// stage called Unavailable; see Wait.
const WaitUnavailable = "unavailable"

// WaitKinds lists the kinds of waits that may become overdue, as Wait.For says them.
func WaitKinds() []string {
	return []string{
		"commit", "room", "read-ahead", "batch", "reader", WaitUnavailable, "dead letter store", "replays", "turn", "broker", "server", "permission", "checkpoint",
	}
}

// What an overdue wait makes of the pipeline.
const (
	NotReady = "not ready" // it does not do what it is there for
	Degraded = "degraded"  // it does, and not as it should
)
