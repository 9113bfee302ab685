package task

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"penstock/engine/internal/waits"
	"penstock/engine/supervise"
)

// WatchDrain turns the end of the user's context into a drain, and a drain
// that takes too long into a hard stop.
func (r *Run) WatchDrain(ctx context.Context, drained <-chan struct{}, hardStop func()) {
	select {
	case <-ctx.Done():
	case <-drained:
		return
	}
	r.Log.Info("draining: the sources stop, the other stages finish their messages", "timeout", r.Settings.DrainTimeout)
	r.BeginDrain()
	defer r.Waits.End(waits.Drain)
	timer, look := time.NewTimer(r.Settings.DrainTimeout), time.NewTicker(drainLook)
	defer timer.Stop()
	defer look.Stop()
	for {
		select {
		case <-timer.C:
			hardStop()
			return
		case <-look.C:
			r.Waits.Begin(waits.Drain, "not done yet: "+strings.Join(r.unfinished(), ", "))
			if r.onlyHaltedLeft() {
				hardStop()
				return
			}
		case <-drained:
			return
		}
	}
}

// drainLook is how often a drain looks for stages that an operator has
// stopped, which will not be started again.
const drainLook = 20 * time.Millisecond

// onlyHaltedLeft marks the stages that an operator has stopped, so that no other stage waits for more from them. It
// reports whether all other stages have stopped by themselves.
func (r *Run) onlyHaltedLeft() bool {
	halted := map[string]bool{}
	findHalted(halted, r.Supervisor.Status(), false)
	only := true
	for _, in := range r.Instances {
		event := operatorStarts
		if halted[in.Definition.Name] {
			event = operatorStops
		}
		if in.Phase.On(event) {
			r.PokeAll()
		}
		only = only && in.Phase.isStill()
	}
	return only
}

func findHalted(into map[string]bool, children []supervise.ChildStatus, all bool) {
	for _, c := range children {
		down := all || c.State == supervise.StateStopped
		switch {
		case c.IsGroup && (down || c.State == supervise.StateRunning):
			findHalted(into, c.Children, down)
		case !c.IsGroup && down:
			into[c.Name] = true
		}
	}
}

// drain is the end that an operator asks for: the stages finish what there is.
type drain struct {
	once  sync.Once
	begun chan struct{}
}

func (r *Run) BeginDrain() {
	r.drain.once.Do(func() {
		close(r.drain.begun)
		r.PokeAll()
	})
}

func (r *Run) IsDraining() bool {
	select {
	case <-r.drain.begun:
		return true
	default:
		return false
	}
}

func (r *Run) PokeAll() {
	for _, in := range r.Instances {
		in.poke()
	}
}

// Conclude takes the last checkpoint and says how the run ended.
func (r *Run) Conclude(ctx context.Context, err error) error {
	var stubborn *supervise.AbandonedError
	if r.IsDraining() && errors.Is(err, context.Canceled) && !errors.As(err, &stubborn) {
		r.Log.Warn("the drain time is over: these stages had more to do, and resume with that in the next run", "stages", strings.Join(r.unfinished(), ", "))
		err = nil
	}
	switch gaveUp := r.givenUpError(); {
	case err == nil:
		err = gaveUp
	case stubborn != nil && gaveUp != nil:
		err = errors.Join(gaveUp, err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if saveErr := r.Checkpointer.Checkpoint(last); saveErr != nil && err == nil {
		r.Log.Warn("the last checkpoint failed; the next start reads more of the channels again", "error", saveErr)
	}
	for _, in := range r.Instances {
		if stubborn == nil {
			in.saveNews()
			in.cleanReplays(last)
		}
	}
	return err
}

// unfinished names the stages that have not come to a stop of their own.
func (r *Run) unfinished() (names []string) {
	for _, in := range r.Instances {
		if !in.Phase.isOver() {
			names = append(names, in.Definition.Name)
		}
	}
	return names
}
