//go:build linux

package main

import (
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

	"penstock/internal/testing/child"
)

// process is one that suffers: a victim or a server.
type process struct {
	*child.Child

	mu       sync.Mutex
	lines    []string // the last ones, without those that tell of progress
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

func startChild(args, env []string, echo io.Writer) (*process, error) {
	cmd, err := child.Self(args...)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(os.Environ(), env...)
	c := &process{}
	c.Child, err = child.Start(cmd, func(started *child.Child, line string) {
		fmt.Fprintf(echo, "%d: %s\n", started.Cmd.Process.Pid, line)
		c.hear(line)
	})
	return c, err
}

func (c *process) hear(line string) {
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

// stop stops it and waits until all of its threads are, those in a call of the kernel after it. It may be stopped
// already.
func (c *process) stop() error {
	c.Signal(syscall.SIGSTOP)
	for {
		err := unix.Waitid(unix.P_PID, c.Cmd.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
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
func (c *process) kill() {
	c.Kill()
	<-c.Done()
}

// advances is how often the victim told of commits.
func (c *process) advances() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.progress)
}

func (c *process) isReady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ready != nil
}

// readyWith is what it had committed as it began; nil if it never did.
func (c *process) readyWith() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.ready)
}

// commitsAt is what the victim had told of at a time; nil if nothing.
func (c *process) commitsAt(t time.Time) (latest map[string]uint64) {
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
func (c *process) firstCommitAfter(t time.Time) (time.Time, bool) {
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
func (c *process) firstBeyond(other map[string]uint64) (time.Time, bool) {
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

// end is how a child ended.
type end string

const (
	completed   end = "completed"
	interrupted end = "interrupted"
	killed      end = "killed"
	failed      end = "failed" // with an error of its own
	died        end = "died"   // a panic, a fault of memory
)

func (c *process) end() end {
	var exit *exec.ExitError
	switch {
	case c.Err() == nil:
		return completed
	case !errors.As(c.Err(), &exit):
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
func (c *process) reason() string {
	text := strings.TrimSpace(c.Stderr.String())
	if len(text) > 4000 {
		text = text[:4000] + " …"
	}
	return fmt.Sprintf("%v: %s", c.Err(), text)
}

// story is what it said last.
func (c *process) story() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}
