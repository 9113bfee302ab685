package engine

import (
	"context"
	"errors"
	"strings"
	"time"

	"penstock/engine/supervise"
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
	var stubborn *supervise.AbandonedError
	if r.isDraining() && errors.Is(err, context.Canceled) && !errors.As(err, &stubborn) {
		r.log.Warn("the drain timeout is over: these stages had more to do, and resume with it", "stages", strings.Join(r.unfinished(), ", "))
		err = nil
	}
	if err == nil {
		err = r.givenUpError()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if saveErr := r.checkpointer.checkpoint(last); saveErr != nil && err == nil {
		r.log.Warn("the last checkpoint failed; the next start replays a little more", "error", saveErr)
	}
	for _, in := range r.instances {
		if stubborn == nil {
			in.saveStats()
		}
	}
	return err
}

// unfinished names the stages that have not come to a stop of their own.
func (r *run) unfinished() (names []string) {
	for _, in := range r.instances {
		if !in.stopped.Load() {
			names = append(names, in.definition.name)
		}
	}
	return names
}
