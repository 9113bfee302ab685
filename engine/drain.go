package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// watchDrain turns the end of the user's context into a drain, and a drain
// that takes too long into a hard stop.
func (r *run) watchDrain(ctx context.Context, drained <-chan struct{}, hardStop func()) {
	select {
	case <-ctx.Done():
	case <-drained:
		return
	}
	r.log.Info("stopping: the sources stop, the rest drains", "timeout", r.config.DrainTimeout)
	r.drain.Store(true)
	r.pokeAll()
	timer := time.NewTimer(r.config.DrainTimeout)
	defer timer.Stop()
	select {
	case <-timer.C:
		hardStop()
	case <-drained:
	}
}

func (r *run) isDraining() bool { return r.drain.Load() }

func (r *run) pokeAll() {
	for _, in := range r.instances {
		in.poke()
	}
}

// conclude takes the last checkpoint and says how the run ended.
func (r *run) conclude(ctx context.Context, err error) error {
	var late []string
	for _, in := range r.instances {
		if !in.stopped.Load() {
			late = append(late, in.definition.name)
		}
	}
	if r.isDraining() && errors.Is(err, context.Canceled) {
		err = fmt.Errorf("the drain took longer than %v; these stages were cut off (they resume): %s", r.config.DrainTimeout, strings.Join(late, ", "))
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if saveErr := r.checkpointer.checkpoint(last); saveErr != nil && err == nil {
		r.log.Warn("the last checkpoint failed; the next start replays a little more", "error", saveErr)
	}
	for _, in := range r.instances {
		in.saveStats()
	}
	return err
}
