package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// Beside the take-over, the end of a run tells what else is wrong, and not that the take-over has stopped it.
func TestTheEndOfARunThatWasTakenOver(t *testing.T) {
	t.Parallel()
	fenced := &task.FencedError{Stage: "worker", OwnerEpoch: 2, Epoch: 1}
	fatal := supervise.Fatal(errors.New("the licence has expired"))
	for name, c := range map[string]struct {
		err  error
		more bool
	}{
		"all ended":       {nil, false},
		"stopped":         {context.Canceled, false},
		"of the stage":    {supervise.Fatal(fmt.Errorf("worker: %w", fenced)), false},
		"another failed":  {fatal, true},
		"one would not":   {&supervise.AbandonedError{Children: []string{"a"}, Cause: context.Canceled}, true},
		"two of the same": {&supervise.AbandonedError{Children: []string{"a"}, Cause: fatal}, true},
	} {
		over := takeover{stop: func() {}}
		over.note(fenced)
		err := over.end(c.err)
		if !errors.Is(err, fenced) {
			t.Errorf("%s: the take-over is missing: %v", name, err)
		}
		if c.more && !errors.Is(err, c.err) || !c.more && err != error(fenced) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The cause of the context of Run may be any error, also one that cannot be compared.
func TestTheCauseOfAStopMayBeAnyError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := boxedCause{[]int{1}}
	cancel(cause)
	if !endedBy(ctx, fmt.Errorf("open: %w", context.Canceled)) || endedBy(ctx, fmt.Errorf("open: %w", cause)) {
		t.Error("the end by a context is not told from another one")
	}
}

type boxedCause struct{ any }

func (boxedCause) Error() string { return "boxed" }
