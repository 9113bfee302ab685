package task

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/engine/internal/logsample"
	"penstock/engine/internal/plan"
)

// The attempts of one message fill what the log writes of a kind of line. The last one before the letter is in it all
// the same.
func TestTheLastAttemptIsAKindOfLineOfItsOwn(t *testing.T) {
	t.Parallel()
	in := &Task{Instance: &Instance{Definition: &plan.Stage{Options: plan.Options{Attempts: 3}}}}
	kind := func(count int) string {
		f := &Failure{}
		f.Unit, f.Count = fmt.Sprintf("numbers.0:%d", 7*count), count
		return logsample.Alike(in.messageFault(f, errors.New("broken")).Error())
	}
	if kind(1) != kind(2) || kind(2) == kind(3) || !strings.Contains(kind(3), "attempt # of #, the last: broken") {
		t.Errorf("%q, %q, %q", kind(1), kind(2), kind(3))
	}
}
