package task

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// What a wait for a checkpoint and a health check tell names remedies as the program does.
func TestWaitsAndChecksAreInTheWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	clock := &handClock{at: time.Unix(1e9, 0)}
	r, _ := watched(clock, &log, nil)
	r.Settings.Words = func(remedy.Remedy) string { return "--fresh" }
	err := remedy.Errorf("damaged: start over with %v", remedy.Fresh)
	c := &Checkpointer{Log: r.Log, Instances: []*Instance{{Run: r}}}
	c.tried(t.Context(), &r.Waits, fmt.Errorf("write: %w", err))
	if list := r.Waits.List(clock.at.Add(time.Hour), 0); len(list) != 1 || list[0].Detail != "write: damaged: start over with --fresh" {
		t.Errorf("the waits are %+v", list)
	}
	probe := func(context.Context) supervise.Health {
		return supervise.Health{Level: supervise.LevelUnhealthy, Reason: err.Error(), Err: err}
	}
	checks := r.checksOf(plan.Options{Checks: []supervise.Check{{Probe: probe}}})
	if health := checks[0].Probe(t.Context()); health.Reason != "damaged: start over with --fresh" {
		t.Errorf("the check says %q", health.Reason)
	}
}
