package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/engine"
)

// A program that runs its pipeline itself, and serves the control socket by one
// call, is asked by the verbs of the command while it runs and afterwards.
func TestARunWithControlCanBeAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	go1, done := make(chan struct{}), make(chan error, 1)
	ready, stopped := make(chan struct{}), make(chan struct{})
	p := engine.New("mine")
	in := engine.Source(p, "numbers", func(ctx context.Context, last *int, emit engine.Emit[int]) error {
		if *last == 1 {
			select {
			case <-go1:
				return io.EOF
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		*last++
		emit(*last)
		return nil
	})
	taken := make(chan struct{}, 1)
	engine.Sink(p, "take", in, func(context.Context, *int, engine.Message[int]) error {
		taken <- struct{}{}
		return nil
	})
	config := WithControl(p, engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler),
		OnReady: func() error { close(ready); return nil }, OnStop: func() { close(stopped) }})
	go func() { done <- p.Run(t.Context(), config) }()
	<-taken // the socket is there: it is made before the first call
	c := newCommand(t)
	for _, args := range []string{"state numbers", "events take", "dlq list", "doctor"} {
		r := c.run(append(strings.Fields(args), "--dir", dir)...)
		if r.code != app.ExitOK {
			t.Errorf("%s: exit %d, %s\n%s", args, r.code, r.stdout, r.err)
		}
		if args == "doctor" && !strings.Contains(r.stdout, "pipeline mine, running") {
			t.Errorf("doctor: %s", r.stdout)
		}
	}
	close(go1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	<-ready
	<-stopped
	if r := c.run("state", "numbers", "--dir", dir); r.code != app.ExitOK || r.stdout != "1\n" {
		t.Errorf("afterwards: exit %d, %q\n%s", r.code, r.stdout, r.err)
	}
}

// A guard starts the program's own file again, which is a test's where Run is called.
func TestRunHasNoGuard(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if code := Run(declareShipped, []string{"run", "--guard", "--dir", t.TempDir()}, io.Discard, &out); code != app.ExitUsage || !strings.Contains(out.String(), "--guard needs a process of its own") {
		t.Errorf("exit %d: %s", code, &out)
	}
}
