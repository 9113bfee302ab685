package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/shipped"
	"penstock/cmd/pipeline/internal/showcmd"
	"penstock/internal/testing/child"
	"penstock/internal/testing/leak"
)

// asCommand makes the test binary behave as the command.
const asCommand = "PENSTOCK_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if err := os.Setenv(showcmd.Variable, showcmd.Off); err != nil {
		panic(err)
	}
	if os.Getenv(asCommand) != "" {
		Main(declareShipped)
	}
	leak.Main(m)
}

// declareShipped makes the program that Penstock comes with.
func declareShipped(p *App) {
	p.Name = "pipeline"
	p.Add("fizzbuzz", "The lesson.", &shipped.Fizzbuzz{})
	p.Add("wordcount", "Count words.", &shipped.Wordcount{})
	p.Add("unstablecounter", "A counter that overflows.", &shipped.Unstablecounter{})
}

func newApp() *App {
	p := &App{}
	declareShipped(p)
	return p
}

// command calls the command in this process.
type command struct {
	t   *testing.T
	env map[string]string
}

func newCommand(t *testing.T) command {
	return command{t, map[string]string{"XDG_STATE_HOME": t.TempDir()}}
}

// dir is where the pipeline of this name keeps its data.
func (c command) dir(pipeline string) string {
	return filepath.Join(c.env["XDG_STATE_HOME"], "penstock", pipeline)
}

type result struct {
	code        int
	stdout, err string
}

func (c command) run(args ...string) result {
	c.t.Helper()
	r := c.start(args...)
	return r.wait()
}

// running is a command under way.
type running struct {
	t       *testing.T
	signals chan os.Signal
	stdout  *child.Output
	stderr  *child.Output
	exited  chan int
}

// getenv has no telemetry, unless the test asks for it: its ports are for all.
func (c command) getenv(name string) string {
	if value, ok := c.env[name]; ok || name != showcmd.Variable {
		return value
	}
	return showcmd.Off
}

func (c command) start(args ...string) *running {
	c.t.Helper()
	return c.startIn(func(*app.System) {}, args...)
}

// world is what a command that runs sees of its surroundings, and what the test sees of it.
func (c command) world() (*running, app.System) {
	r := &running{t: c.t, signals: make(chan os.Signal, 2), stdout: child.NewOutput(), stderr: child.NewOutput(), exited: make(chan int, 1)}
	return r, app.System{
		Stdout:   r.stdout,
		Stderr:   r.stderr,
		Getenv:   c.getenv,
		Signals:  r.signals,
		Exit:     func(code int) { c.t.Errorf("the command called exit(%d)", code) },
		Terminal: func() (int, int, bool) { return 0, 0, false },
	}
}

// startIn starts it in a world that change changes.
func (c command) startIn(change func(*app.System), args ...string) *running {
	c.t.Helper()
	r, s := c.world()
	change(&s)
	go func() { r.exited <- newApp().run(args, s) }()
	return r
}

func (r *running) wait() result {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	select {
	case code := <-r.exited:
		return result{code, r.stdout.String(), r.stderr.String()}
	case <-ctx.Done():
		r.t.Fatalf("the command does not end; it said:\n%s", r.stderr)
		return result{}
	}
}

// patience is how long what must come is waited for: much longer than it takes on a busy machine.
const patience = 3 * time.Minute

func mustContain(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q:\n%s", what, part, text)
		}
	}
}
