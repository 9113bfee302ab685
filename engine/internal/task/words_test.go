package task

import (
	"bytes"
	"context"
	"testing"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// What a health check tells names remedies as the program does.
func TestChecksAreInTheWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	r, _ := watched(&handClock{at: time.Unix(1e9, 0)}, new(bytes.Buffer), nil)
	r.Settings.Words = func(remedy.Remedy) string { return "--fresh" }
	err := remedy.Errorf("damaged: start over with %v", remedy.Fresh)
	probe := func(context.Context) supervise.Health {
		return supervise.Health{Level: supervise.LevelUnhealthy, Reason: err.Error(), Err: err}
	}
	checks := r.checksOf(plan.Options{Checks: []supervise.Check{{Probe: probe}}})
	if health := checks[0].Probe(t.Context()); health.Reason != "damaged: start over with --fresh" {
		t.Errorf("the check says %q", health.Reason)
	}
}
