package supervise

import (
	"errors"
	"fmt"
	"testing"
)

func TestMarks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mark func(error) error
		is   func(error) bool
	}{"fatal": {Fatal, IsFatal}, "escalate": {Escalate, IsEscalated}, "uncounted": {Uncounted, IsUncounted}} {
		if c.mark(nil) != nil || c.is(nil) || c.is(errBroken) {
			t.Errorf("%s: marked without a reason", name)
		}
		if err := c.mark(errBroken); err.Error() != errBroken.Error() || !errors.Is(err, errBroken) || !c.is(fmt.Errorf("a: %w", err)) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}
