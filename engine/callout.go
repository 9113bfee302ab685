package engine

import (
	"time"

	"penstock/engine/breaker"
	"penstock/engine/supervise"
)

// newBreaker returns the circuit breaker of a stage that has one.
func (in *instance) newBreaker() *breaker.Breaker {
	config := in.definition.Options.Breaker
	if config == nil {
		return nil
	}
	c := *config
	given := c.OnChange
	c.OnChange = func(from, to breaker.State) {
		in.run.tell(supervise.Event{Child: in.definition.Name, Kind: supervise.BreakerChanged, Detail: to.String()})
		in.poke()
		if given != nil {
			given(from, to)
		}
	}
	return breaker.New(in.definition.Name, c)
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
func (t *task) mayCallOut() bool {
	if t.callout.breaker == nil || t.callout.asked.Load() != notAsked {
		return true
	}
	if t.gate.trusted {
		t.callout.asked.Store(takenForGranted)
		return true
	}
	next, ok := t.callout.breaker.Allow()
	if !ok {
		t.gate.openUntil = next
		return false
	}
	t.gate.openUntil = time.Time{}
	t.callout.asked.Store(allowed)
	return true
}

// calledOut tells the breaker how a call went.
func (t *task) calledOut(success bool) {
	if t.callout.breaker == nil || t.code.guard.abandoned() {
		return
	}
	switch t.callout.asked.Swap(notAsked) {
	case takenForGranted:
		if success {
			return
		}
		t.callout.breaker.Allow() // it is closed
	case notAsked:
		return
	}
	t.callout.breaker.Done(success)
	t.gate.trusted = success && t.callout.breaker.State() == breaker.StateClosed && t.callout.breaker.Counts().Failures == 0
}

// calledNothing tells the breaker that a call says nothing about the other
// side.
func (t *task) calledNothing() {
	if t.callout.breaker != nil && !t.code.guard.abandoned() && t.callout.asked.Swap(notAsked) == allowed {
		t.callout.breaker.Drop()
	}
}

// isOpen says that messages wait for the breaker.
func (t *task) isOpen() bool { return !t.gate.openUntil.IsZero() }
