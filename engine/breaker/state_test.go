package breaker

import (
	"testing"

	"github.com/sony/gobreaker/v2"
)

func TestState(t *testing.T) {
	t.Parallel()
	for s, want := range map[State]string{StateClosed: "closed", StateOpen: "open", StateHalfOpen: "half-open", 7: "State(7)"} {
		if s.String() != want {
			t.Errorf("state %d is %q, want %q", s, s.String(), want)
		}
	}
	for _, s := range []gobreaker.State{gobreaker.StateClosed, gobreaker.StateOpen, gobreaker.StateHalfOpen} {
		if stateOf(s).String() != s.String() {
			t.Errorf("the library's %v became %v", s, stateOf(s))
		}
	}
}
