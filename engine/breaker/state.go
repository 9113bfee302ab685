package breaker

import (
	"fmt"

	"github.com/sony/gobreaker/v2"
)

// State is what a breaker does with calls.
type State uint8

const (
	StateClosed   State = iota // every call is allowed
	StateOpen                  // no call is allowed until its time is over, and then until the next caller asks
	StateHalfOpen              // one call, the probe, is allowed and decides
)

// String returns "closed", "open" or "half-open".
func (s State) String() string {
	switch s {
	case StateClosed:
		return "closed"
	case StateOpen:
		return "open"
	case StateHalfOpen:
		return "half-open"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

func stateOf(s gobreaker.State) State {
	switch s {
	case gobreaker.StateClosed:
		return StateClosed
	case gobreaker.StateOpen:
		return StateOpen
	case gobreaker.StateHalfOpen:
		return StateHalfOpen
	}
	panic(fmt.Sprintf("breaker: the library is in an unknown state: %v", s))
}
