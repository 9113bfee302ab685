//go:build unix

package crash

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// order says what to start. watch is called with every line that the victim says, before it is read any further.
type order struct {
	binary string
	args   []string
	env    []string
	watch  func(c *child, line string)
}

// child is a running victim.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	done   chan struct{} // it has ended, and everything it said was seen
	err    error
	stderr bytes.Buffer

	mu    sync.Mutex
	lines []string // the last ones
	count int
}

const keptLines = 400

func start(t *testing.T, o order) *child {
	t.Helper()
	c := &child{cmd: exec.Command(o.binary, o.args...), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), o.env...)
	c.cmd.Stderr = &c.stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin = stdin
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.done)
		c.read(stdout, o.watch)
		c.err = c.cmd.Wait()
	}()
	t.Cleanup(func() {
		c.kill()
		<-c.done
	})
	return c
}

func (c *child) read(stdout io.Reader, watch func(*child, string)) {
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\n")
		c.mu.Lock()
		if c.lines = append(c.lines, line); len(c.lines) > keptLines {
			c.lines = c.lines[1:]
		}
		c.count++
		c.mu.Unlock()
		if watch != nil {
			watch(c, line)
		}
	}
}

func (c *child) signal(s syscall.Signal) { _ = c.cmd.Process.Signal(s) }
func (c *child) kill()                   { c.signal(syscall.SIGKILL) }

// said returns how many lines the victim has said.
func (c *child) said() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// story is what the victim said last, for a failed test.
func (c *child) story() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n") + "\n" + c.stderr.String()
}

// end is how a victim ended.
type end int

const (
	completed end = iota
	killed
	failed
)

// wait waits for the end of the victim.
func (c *child) wait(t *testing.T) end {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		c.signal(syscall.SIGQUIT) // shows where it hangs
		<-c.done
		t.Fatalf("the victim did not end within %v\n%s", patience, c.story())
	}
	var exit *exec.ExitError
	switch {
	case c.err == nil:
		return completed
	case errors.As(c.err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return killed
		}
	}
	return failed
}

// reason is what a failed victim says about its failure.
func (c *child) reason() string { return fmt.Sprintf("%v: %s", c.err, c.stderr.String()) }

// await waits for a signal of the victim's, which must not end before.
func (c *child) await(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-happened:
	case <-c.done:
		select {
		case <-happened:
		default:
			t.Fatalf("the victim ended before %s: %v\n%s", what, c.err, c.story())
		}
	case <-timer.C:
		t.Fatalf("no %s within %v\n%s", what, patience, c.story())
	}
}
