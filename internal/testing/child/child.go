package child

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// keptLines is how many of a child's last lines Story has.
const keptLines = 400

// Child is a process under way. Safe for concurrent use.
type Child struct {
	Cmd    *exec.Cmd
	Stdin  io.WriteCloser // it closes when this process ends, however: a child may end with it
	Began  time.Time
	Stderr *Output // empty if the command has a Stderr of its own

	done  chan struct{}
	err   error
	heard chan struct{} // something was said since Until looked

	mu    sync.Mutex
	lines []string // the last ones
	count int
}

// Start starts a command. hear, unless it is nil, is called with every line of its standard output, one at a time,
// before it is read any further. What the command has already of Stdin, Stdout and Stderr is left alone.
func Start(cmd *exec.Cmd, hear func(c *Child, line string)) (c *Child, err error) {
	c = &Child{Cmd: cmd, Stderr: NewOutput(), done: make(chan struct{}), heard: make(chan struct{}, 1)}
	if cmd.Stderr == nil {
		cmd.Stderr = c.Stderr
	}
	if cmd.Stdin == nil {
		if c.Stdin, err = cmd.StdinPipe(); err != nil {
			return nil, err
		}
	}
	var stdout io.Reader = strings.NewReader("")
	if cmd.Stdout == nil {
		if stdout, err = cmd.StdoutPipe(); err != nil {
			return nil, err
		}
	}
	c.Began = time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	go func() {
		defer close(c.done)
		c.read(stdout, hear)
		c.err = cmd.Wait()
	}()
	return c, nil
}

// Self is the command of this program with other arguments.
func Self(args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return exec.Command(self, args...), nil
}

// read leaves out a half line, which only a killed child says.
func (c *Child) read(stdout io.Reader, hear func(*Child, string)) {
	for lines := bufio.NewReader(stdout); ; {
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
		if hear != nil {
			hear(c, line)
		}
		select {
		case c.heard <- struct{}{}:
		default:
		}
	}
}

// Signal sends a signal, and Kill the one that cannot be refused. Neither waits, so that hear may call them.
func (c *Child) Signal(s os.Signal) { _ = c.Cmd.Process.Signal(s) }
func (c *Child) Kill()              { _ = c.Cmd.Process.Kill() }

// Done is closed when the child has ended, and everything that it said was heard.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err waits for the end, and returns that of exec.Cmd.Wait.
func (c *Child) Err() error {
	<-c.done
	return c.err
}

// IsAlive says whether it has not ended.
func (c *Child) IsAlive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// Ends waits for its end, and says whether that came.
func (c *Child) Ends(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}

// Until waits until something is so, and says whether it is. It looks again whenever the child has said something. One
// goroutine may wait so.
func (c *Child) Until(limit time.Duration, so func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !so() {
		select {
		case <-c.heard:
		case <-c.done:
			return so()
		case <-timer.C:
			return so()
		}
	}
	return true
}

// Said counts the lines of its standard output so far.
func (c *Child) Said() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// Story is what it said last, for a test that fails.
func (c *Child) Story() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n") + "\n" + c.Stderr.String()
}
