//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	testchild "penstock/internal/testing/child"
)

// process is a child as its parent sees it.
type process struct {
	*testchild.Child
	said   chan saying // closed when it has ended
	stderr tail
}

// saying is a line of a child.
type saying struct {
	at   time.Time
	verb string
	data json.RawMessage
}

// launch starts a child. Its lines must be taken until said is closed.
func launch(ctx context.Context, t task, log io.Writer) (*process, error) {
	argument, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	cmd, err := testchild.Self(childVerb, string(argument))
	if err != nil {
		return nil, err
	}
	p := &process{said: make(chan saying), stderr: tail{echo: log}}
	cmd.Stderr = &p.stderr
	p.Child, err = testchild.Start(cmd, func(_ *testchild.Child, line string) {
		verb, data, _ := strings.Cut(line, " ")
		p.said <- saying{time.Now(), verb, json.RawMessage(data)}
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, p.Kill)
	go func() {
		<-p.Done()
		close(p.said)
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
	return fmt.Errorf("the child ended too early: %w", errors.Join(p.Err(), errors.New(p.stderr.String())))
}

// kill ends it as the kernel would, and takes what it said until then.
func (p *process) kill(hear func(saying)) {
	p.Kill()
	for s := range p.said {
		if hear != nil {
			hear(s)
		}
	}
}

// finish lets its pipeline come to the end.
func (p *process) finish(hear func(saying)) (r result, err error) {
	_ = p.Stdin.Close()
	s, err := p.await(saysResult, hear)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(s.data, &r); err != nil {
		return r, fmt.Errorf("read the result of a child: %w", err)
	}
	for range p.said { // until it has ended
	}
	if p.Err() != nil {
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
