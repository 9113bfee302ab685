package engine

import (
	"context"
	"errors"
	"sync/atomic"

	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// takeover ends a run when another process takes one of its stages over: a process owns all stages of a pipeline or
// none. Safe for concurrent use.
type takeover struct {
	stop  context.CancelFunc // everything of this run
	first atomic.Pointer[task.FencedError]
}

func (t *takeover) note(err *task.FencedError) {
	t.first.CompareAndSwap(nil, err)
	t.stop()
}

// end is how the run ends whose supervisor ended with err. That is told too, unless it only says that the take-over
// stopped everything: another stage may have failed at the same time, and a function may not have stopped.
func (t *takeover) end(err error) error {
	taken := t.first.Load()
	if taken == nil {
		return err
	}
	var stubborn *supervise.AbandonedError
	isStubborn := errors.As(err, &stubborn)
	if !isStubborn && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, taken)) {
		return taken
	}
	return errors.Join(taken, err)
}
