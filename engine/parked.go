package engine

import (
	"errors"
	"strings"

	"penstock/engine/supervise"
)

// park looks whether an idle instance waits only for a stage that was given
// up. When everybody does the run drains: what is left goes on with the next.
func (t *task) park() {
	if !t.isBlocked() && !(t.source == nil && t.run.hasGivenUp() && t.clean() && t.inputsQuiet() && !t.waitsForTime()) {
		t.phase.on(somethingToDo)
		return
	}
	if t.phase.on(nothingToDo) {
		t.run.pokeAll()
		t.run.endIfStuck()
	}
}

// waitsForTime says that messages are there, and it is only too early for them.
func (t *task) waitsForTime() bool {
	for _, i := range t.inbox.inputs {
		if len(i.waiting) > 0 || i.peek() && !i.held {
			return true
		}
	}
	return false
}

// isBlocked says that the batch waits for room in the channel that no reader
// makes, because a reader waits for a stage that was given up, or is one, or has
// stopped already.
func (t *task) isBlocked() bool {
	if !t.run.hasGivenUp() && !t.run.isDraining() || t.flight != nil {
		return false
	}
	return t.hasPending() && !t.batchFits() && t.isHeldUp()
}

func (r *running) hasGivenUp() bool {
	for _, in := range r.instances {
		if in.phase.isGivenUp() {
			return true
		}
	}
	return false
}

// endIfStuck drains when nothing can move any more.
func (r *running) endIfStuck() {
	if r.isDraining() || !r.hasGivenUp() {
		return
	}
	for _, in := range r.instances {
		if !in.phase.isStill() {
			return
		}
	}
	r.log.Warn("the run ends: nothing can continue without the stages that were given up; the next run starts them again", "stages", strings.Join(r.givenUp(), ", "))
	r.beginDrain()
}

func (r *running) givenUp() (names []string) {
	for _, in := range r.instances {
		if in.phase.isGivenUp() {
			names = append(names, in.definition.Name)
		}
	}
	return names
}

// givenUpError names the stages that are down for the rest of the run, or nil.
func (r *running) givenUpError() error {
	e := &GivenUpError{Stages: r.givenUp()}
	if len(e.Stages) == 0 {
		return nil
	}
	for _, in := range r.instances {
		if in.phase.isGivenUp() {
			e.Causes = append(e.Causes, causeOf(*in.fault.cause.Load()))
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
