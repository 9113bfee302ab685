//go:build unix

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"penstock/internal/testing/child"
)

// order says what to start. watch is called with every line that the victim says, before it is read any further.
type order struct {
	binary string
	args   []string
	env    []string
	watch  func(v *victim, line string)
}

// victim is one under way.
type victim struct{ *child.Child }

func start(t *testing.T, o order) *victim {
	t.Helper()
	cmd := exec.Command(o.binary, o.args...)
	cmd.Env = append(os.Environ(), o.env...)
	return &victim{child.StartFor(t, cmd, func(c *child.Child, line string) {
		if o.watch != nil {
			o.watch(&victim{c}, line)
		}
	})}
}

// end is how a victim ended.
type end int

const (
	completed end = iota
	killed
	failed
)

// wait waits for the end of the victim.
func (v *victim) wait(t *testing.T) end {
	t.Helper()
	v.MustEnd(t)
	var exit *exec.ExitError
	switch {
	case v.Err() == nil:
		return completed
	case errors.As(v.Err(), &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return killed
		}
	}
	return failed
}

// reason is what a failed victim says about its failure.
func (v *victim) reason() string { return fmt.Sprintf("%v: %s", v.Err(), v.Stderr) }

// await waits for a signal of the victim's, which must not end before.
func (v *victim) await(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-happened:
	case <-v.Done():
		select {
		case <-happened:
		default:
			t.Fatalf("the victim ended before %s: %v\n%s", what, v.Err(), v.Story())
		}
	case <-timer.C:
		t.Fatalf("no %s within %v\n%s", what, patience, v.Story())
	}
}
