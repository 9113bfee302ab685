package task

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// A panic of a probe stays one, also with nil where recover does not tell.
func TestAProbeThatPanicsWithNilIsNoAnswer(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	r, _ := watched(&handClock{at: time.Unix(1e9, 0)}, new(bytes.Buffer), nil)
	checks := r.checksOf(plan.Options{Checks: []supervise.Check{{Probe: func(context.Context) supervise.Health { panic(nil) }}}})
	err := supervise.Contain(func() error {
		checks[0].Probe(t.Context())
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "panic called with nil") {
		t.Errorf("the probe ends with %v", err)
	}
}
