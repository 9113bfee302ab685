package engine

import (
	"time"

	"penstock/engine/breaker"
	"penstock/engine/supervise"
)

// newBreaker returns the circuit breaker of a stage that has one.
func (in *instance) newBreaker() *breaker.Breaker {
	config := in.definition.options.breaker
	if config == nil {
		return nil
	}
	c := *config
	given := c.OnChange
	c.OnChange = func(from, to breaker.State) {
		in.run.tell(supervise.Event{Child: in.definition.name, Kind: supervise.BreakerChanged, Detail: to.String()})
		in.poke()
		if given != nil {
			given(from, to)
		}
	}
	return breaker.New(in.definition.name, c)
}

// gate is what a session knows of its circuit breaker.
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
func (in *session) mayCallOut() bool {
	if in.callout.breaker == nil || in.callout.asked.Load() != notAsked {
		return true
	}
	if in.gate.trusted {
		in.callout.asked.Store(takenForGranted)
		return true
	}
	next, ok := in.callout.breaker.Allow()
	if !ok {
		in.gate.openUntil = next
		return false
	}
	in.gate.openUntil = time.Time{}
	in.callout.asked.Store(allowed)
	return true
}

// calledOut tells the breaker how a call went.
func (in *session) calledOut(success bool) {
	if in.callout.breaker == nil || in.code.hold.abandoned() {
		return
	}
	switch in.callout.asked.Swap(notAsked) {
	case takenForGranted:
		if success {
			return
		}
		in.callout.breaker.Allow() // it is closed
	case notAsked:
		return
	}
	in.callout.breaker.Done(success)
	in.gate.trusted = success && in.callout.breaker.State() == breaker.StateClosed && in.callout.breaker.Counts().Failures == 0
}

// calledNothing tells the breaker that a call says nothing about the other
// side.
func (in *session) calledNothing() {
	if in.callout.breaker != nil && !in.code.hold.abandoned() && in.callout.asked.Swap(notAsked) == allowed {
		in.callout.breaker.Drop()
	}
}

// isOpen says that messages wait for the breaker.
func (in *session) isOpen() bool { return !in.gate.openUntil.IsZero() }
