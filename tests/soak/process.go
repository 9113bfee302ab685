//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a child as its parent sees it.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	began  time.Time
	said   chan saying
	stderr tail
	err    error // of the process, once said is closed
}

// saying is a line of a child.
type saying struct {
	at   time.Time
	verb string
	data json.RawMessage
}

// launch starts a child. Its lines must be taken until said is closed.
func launch(ctx context.Context, t task, log io.Writer) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	argument, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, childVerb, string(argument)), said: make(chan saying)}
	p.stderr.echo = log
	p.cmd.Stderr = &p.stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	go func() {
		defer close(p.said)
		for lines := bufio.NewReader(stdout); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				break // the half line of a killed child counts for nothing
			}
			verb, data, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			p.said <- saying{time.Now(), verb, json.RawMessage(data)}
		}
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// await waits for a line with that verb, and hands the others to hear. An error
// says that the child ended first.
func (p *process) await(verb string, hear func(saying)) (saying, error) {
	for s := range p.said {
		if s.verb == verb {
			return s, nil
		}
		if hear != nil {
			hear(s)
		}
	}
	return saying{}, p.failure()
}

// failure is why it ended.
func (p *process) failure() error {
	return fmt.Errorf("the child ended too early: %w", errors.Join(p.err, errors.New(p.stderr.String())))
}

// kill ends it as the kernel would, and takes what it said until then.
func (p *process) kill(hear func(saying)) {
	_ = p.cmd.Process.Kill()
	for s := range p.said {
		if hear != nil {
			hear(s)
		}
	}
}

// finish lets its pipeline come to the end.
func (p *process) finish(hear func(saying)) (r result, err error) {
	_ = p.stdin.Close()
	s, err := p.await(saysResult, hear)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(s.data, &r); err != nil {
		return r, fmt.Errorf("read the result of a child: %w", err)
	}
	for range p.said { // until it has ended
	}
	if p.err != nil {
		return r, p.failure()
	}
	return r, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	echo io.Writer
	kept bytes.Buffer
}

func (t *tail) Write(data []byte) (int, error) {
	const most = 64 << 10
	if t.kept.Write(data); t.kept.Len() > 2*most {
		t.kept.Next(t.kept.Len() - most)
	}
	if t.echo != nil {
		_, _ = t.echo.Write(data)
	}
	return len(data), nil
}

func (t *tail) String() string { return strings.TrimSpace(t.kept.String()) }
