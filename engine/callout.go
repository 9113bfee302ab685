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
	if in.breaker == nil || in.asked.Load() != notAsked {
		return true
	}
	if in.trusted {
		in.asked.Store(takenForGranted)
		return true
	}
	next, ok := in.breaker.Allow()
	if !ok {
		in.openUntil = next
		return false
	}
	in.openUntil = time.Time{}
	in.asked.Store(allowed)
	return true
}

// calledOut tells the breaker how a call went.
func (in *session) calledOut(success bool) {
	if in.breaker == nil || in.hold.abandoned() {
		return
	}
	switch in.asked.Swap(notAsked) {
	case takenForGranted:
		if success {
			return
		}
		in.breaker.Allow() // it is closed
	case notAsked:
		return
	}
	in.breaker.Done(success)
	in.trusted = success && in.breaker.State() == breaker.StateClosed && in.breaker.Counts().Failures == 0
}

// calledNothing tells the breaker that a call says nothing about the other
// side.
func (in *session) calledNothing() {
	if in.breaker != nil && !in.hold.abandoned() && in.asked.Swap(notAsked) == allowed {
		in.breaker.Drop()
	}
}

// isOpen says that messages wait for the breaker.
func (in *session) isOpen() bool { return !in.openUntil.IsZero() }
