package task

import (
	"errors"
	"strings"

	"penstock/engine/supervise"
)

// park looks whether an idle instance waits only for a stage that was given
// up. When everybody does the run drains: what is left goes on with the next.
func (t *Task) park() {
	if !t.isBlocked() && !t.role.waitsForGivenUp() {
		t.Phase.On(somethingToDo)
		return
	}
	if t.Phase.On(nothingToDo) {
		t.Run.PokeAll()
		t.Run.endIfStuck()
	}
}

// waitsForTime says that messages are there, and it is only too early for them.
func (t *Task) waitsForTime() bool {
	for _, i := range t.Inbox.Inputs {
		if len(i.waiting) > 0 || i.peek() && !i.held {
			return true
		}
	}
	return false
}

// isBlocked says that the batch waits for room in the channel that no reader
// makes, because a reader waits for a stage that was given up, or is one, or has
// stopped already.
func (t *Task) isBlocked() bool {
	if !t.Run.hasGivenUp() && !t.Run.IsDraining() || t.Txn != nil {
		return false
	}
	return t.hasPending() && !t.batchFits() && t.isHeldUp()
}

func (r *Run) hasGivenUp() bool {
	for _, in := range r.Instances {
		if in.Phase.isGivenUp() {
			return true
		}
	}
	return false
}

// endIfStuck drains when nothing can move any more.
func (r *Run) endIfStuck() {
	if r.IsDraining() || !r.hasGivenUp() {
		return
	}
	for _, in := range r.Instances {
		if !in.Phase.isStill() {
			return
		}
	}
	r.Log.Warn("the run ends: nothing can continue without the stages that were given up; the next run starts them again", "stages", strings.Join(r.givenUp(), ", "))
	r.BeginDrain()
}

func (r *Run) givenUp() (names []string) {
	for _, in := range r.Instances {
		if in.Phase.isGivenUp() {
			names = append(names, in.Definition.Name)
		}
	}
	return names
}

// givenUpError names the stages that are down for the rest of the run, or nil.
func (r *Run) givenUpError() error {
	e := &GivenUpError{Stages: r.givenUp()}
	if len(e.Stages) == 0 {
		return nil
	}
	for _, in := range r.Instances {
		if in.Phase.isGivenUp() {
			e.Causes = append(e.Causes, causeOf(*in.Fault.cause.Load()))
		}
	}
	return e
}

// causeOf says why a stage was given up: a temporary one also when a sibling
// failed.
func causeOf(e supervise.Event) error {
	if e.Err == nil {
		return errors.New("stopped because a sibling in its group failed")
	}
	return e.Err
}
