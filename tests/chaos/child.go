//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is a process that suffers: a victim or a server.
type child struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	done    chan struct{} // it has ended, and everything it said was read
	err     error
	stderr  bytes.Buffer // to be read after done
	started time.Time

	heard chan struct{} // something was said since somebody looked

	mu       sync.Mutex
	lines    []string // the last ones
	listens  bool     // as a server
	ready    map[string]uint64
	progress []progress
}

// progress is how far the stages of a victim had come.
type progress struct {
	at      time.Time
	commits map[string]uint64
	total   uint64
}

const keptLines = 300

func startChild(args, env []string, echo io.Writer) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, args...), done: make(chan struct{}), heard: make(chan struct{}, 1), started: time.Now()}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.Stderr = &c.stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.done)
		c.read(stdout, echo)
		c.err = c.cmd.Wait()
	}()
	return c, nil
}

func (c *child) read(stdout io.Reader, echo io.Writer) {
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Fprintf(echo, "%d: %s", c.cmd.Process.Pid, line)
		c.hear(strings.TrimSuffix(line, "\n"))
		select {
		case c.heard <- struct{}{}:
		default:
		}
	}
}

func (c *child) hear(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "progress":
		c.progress = append(c.progress, parseProgress(rest))
		return
	case "ready":
		p := parseProgress(rest)
		c.ready = p.commits
		c.progress = append(c.progress, p)
	case "listening":
		c.listens = true
	}
	if c.lines = append(c.lines, line); len(c.lines) > keptLines {
		c.lines = c.lines[1:]
	}
}

func parseProgress(text string) progress {
	p := progress{at: time.Now(), commits: map[string]uint64{}}
	for field := range strings.FieldsSeq(text) {
		name, count, found := strings.Cut(field, "=")
		if at, err := strconv.ParseInt(name, 10, 64); err == nil && !found {
			p.at = time.Unix(0, at)
			continue
		}
		n, err := strconv.ParseUint(count, 10, 64)
		if err != nil {
			continue // a line of a victim that died while it said it
		}
		p.commits[name] = n
		p.total += n
	}
	return p
}

func (c *child) signal(s syscall.Signal) { _ = c.cmd.Process.Signal(s) }

// stop stops it and waits until all of its threads are, those in a call of the kernel after it. It may be stopped already.
func (c *child) stop() error {
	c.signal(syscall.SIGSTOP)
	for {
		err := unix.Waitid(unix.P_PID, c.cmd.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err == nil, errors.Is(err, unix.ECHILD): // it has ended
			return nil
		default:
			return fmt.Errorf("wait until the victim stops: %w", err)
		}
	}
}

// kill kills it and waits until it is gone.
func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	<-c.done
}

func (c *child) alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// advances is how often the victim told of commits.
func (c *child) advances() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.progress)
}

func (c *child) isReady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ready != nil
}

// readyWith is what it had committed as it began; nil if it never did.
func (c *child) readyWith() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.ready)
}

// commitsAt is what the victim had told of at a time; nil if nothing.
func (c *child) commitsAt(t time.Time) (latest map[string]uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.progress {
		if !p.at.After(t) {
			latest = p.commits
		}
	}
	return maps.Clone(latest)
}

// firstCommitAfter is when the victim first told of more than it had at a time.
func (c *child) firstCommitAfter(t time.Time) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, known := uint64(0), false
	for _, p := range c.progress {
		switch {
		case !known || !p.at.After(t):
			before, known = p.total, true
		case p.total > before:
			return p.at, true
		}
	}
	return time.Time{}, false
}

// firstBeyond is when the victim first told of a commit that is beyond those of another.
func (c *child) firstBeyond(other map[string]uint64) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.progress {
		for stage, n := range p.commits {
			if n > other[stage] {
				return p.at, true
			}
		}
	}
	return time.Time{}, false
}

// until waits until something is so, and says whether it is. It looks again whenever the child has said something.
func (c *child) until(limit time.Duration, so func() bool) bool {
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

// ends waits for its end.
func (c *child) ends(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}

// end is how a child ended.
type end string

const (
	completed   end = "completed"
	interrupted end = "interrupted"
	killed      end = "killed"
	failed      end = "failed" // with an error of its own
	died        end = "died"   // a panic, a fault of memory
)

func (c *child) end() end {
	var exit *exec.ExitError
	switch {
	case c.err == nil:
		return completed
	case !errors.As(c.err, &exit):
		return died
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM):
		return killed // SIGTERM kills too, before a process has begun to handle it and when it is nearly over
	case status.ExitStatus() == exitInterrupted:
		return interrupted
	case status.ExitStatus() == 1:
		return failed
	}
	return died
}

// reason is what it said about its end.
func (c *child) reason() string {
	text := strings.TrimSpace(c.stderr.String())
	if len(text) > 4000 {
		text = text[:4000] + " …"
	}
	return fmt.Sprintf("%v: %s", c.err, text)
}

// story is what it said last.
func (c *child) story() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}
