package child

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
)

// StartFor is Start for a test, at whose end the child is killed.
func StartFor(t testing.TB, cmd *exec.Cmd, hear func(c *Child, line string)) *Child {
	t.Helper()
	c, err := Start(cmd, hear)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Kill()
		<-c.done
	})
	return c
}

// MustEnd waits until it has ended. One that hangs shows where.
func (c *Child) MustEnd(t testing.TB) {
	t.Helper()
	if !c.Ends(patience) {
		c.Signal(syscall.SIGQUIT)
		<-c.done
		t.Fatalf("the child did not end within %v\n%s", patience, c.Story())
	}
}

// Code waits for its end, and returns the exit code; -1 when a signal killed it.
func (c *Child) Code(t testing.TB) int {
	t.Helper()
	c.MustEnd(t)
	var exit *exec.ExitError
	if err := c.Err(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.Cmd.ProcessState.ExitCode()
}
