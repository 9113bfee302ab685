package task

import (
	"time"

	"penstock/engine/breaker"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// newBreaker returns the circuit breaker of a stage that has one.
func (in *Instance) newBreaker() *breaker.Breaker {
	config := in.Definition.Options.Breaker
	if config == nil {
		return nil
	}
	c := *config
	given := c.OnChange
	c.OnChange = func(from, to breaker.State) {
		in.Run.tell(supervise.Event{Child: in.Definition.Name, Kind: observe.BreakerChanged, Detail: to.String()})
		in.poke()
		if given != nil {
			given(from, to)
		}
	}
	return breaker.New(in.Definition.Name, c)
}

// gate is what a task knows of its circuit breaker.
type gate struct {
	openUntil time.Time // it lets nothing through until then
	trusted   bool      // it is closed and has seen no failure since the last success
}

// What became of the question whether a call may be made.
const (
	notAsked int32 = iota
	allowed
	takenForGranted // the breaker has not heard of the call
)

// mayCallOut asks the breaker before a message is handled. A true answer is
// followed by calledOut or calledNothing. A breaker that has nothing to forget
// is asked again only when a call has failed: a success tells it nothing.
func (t *Task) mayCallOut() bool {
	if t.Callout.Breaker == nil || t.Callout.asked.Load() != notAsked {
		return true
	}
	if t.gate.trusted {
		t.Callout.asked.Store(takenForGranted)
		return true
	}
	next, ok := t.Callout.Breaker.Allow()
	if !ok {
		t.gate.openUntil = next
		return false
	}
	t.gate.openUntil = time.Time{}
	t.Callout.asked.Store(allowed)
	return true
}

// calledOut tells the breaker how a call went.
func (t *Task) calledOut(success bool) {
	if t.Callout.Breaker == nil || t.Code.Custody.Abandoned() {
		return
	}
	switch t.Callout.asked.Swap(notAsked) {
	case takenForGranted:
		if success {
			return
		}
		t.Callout.Breaker.Allow() // it is closed
	case notAsked:
		return
	}
	t.Callout.Breaker.Done(success)
	t.gate.trusted = success && t.Callout.Breaker.State() == breaker.StateClosed && t.Callout.Breaker.Counts().Failures == 0
}

// calledNothing tells the breaker that a call says nothing about the other
// side.
func (t *Task) calledNothing() {
	if t.Callout.Breaker != nil && !t.Code.Custody.Abandoned() && t.Callout.asked.Swap(notAsked) == allowed {
		t.Callout.Breaker.Drop()
	}
}

// isOpen says that messages wait for the breaker.
func (t *Task) isOpen() bool { return !t.gate.openUntil.IsZero() }
