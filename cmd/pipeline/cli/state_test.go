package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/socket"
)

func TestStateOfARunningPipeline(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"short": "d", "long": strings.Repeat("long", 40)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCommand(t)
			dir := filepath.Join(t.TempDir(), dir)
			leaveStaleSocket(t, dir)
			r := c.start("run", "--rate=5ms", "--beats=100000", "--no-faults", "--dir", dir)
			r.stderr.Await(t, "number=1\n")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			for { // until the first commit
				s := c.run("state", "logger", "--dir", dir)
				if s.code == app.ExitOK && strings.HasPrefix(s.stdout, `{"logged":`) {
					break
				}
				if !strings.Contains(s.err, "committed nothing yet") || ctx.Err() != nil {
					t.Fatalf("exit %d, %q\n%s", s.code, s.stdout, s.err)
				}
			}
			for args, want := range map[string]string{
				"nope":                      `no stage "nope"`,
				"worker --key=a":            "one state for all keys",
				"worker --pipeline=another": "belongs to the pipeline fizzbuzz",
			} {
				s := c.run(append([]string{"state", "--dir", dir}, strings.Fields(args)...)...)
				if s.code != codeOf(args) || s.stdout != "" || !strings.Contains(s.err, want) {
					t.Errorf("%s: exit %d, %q\n%s", args, s.code, s.stdout, s.err)
				}
			}
			info, err := os.Stat(filepath.Join(dir, socket.Name))
			if err != nil || info.Mode() != os.ModeSocket|0o600 {
				t.Errorf("the socket: %v, %v", info, err)
			}
			r.signals <- os.Interrupt
			if end := r.wait(); end.code != app.ExitOK || strings.Contains(end.err, "no control socket") {
				t.Errorf("exit %d\n%s", end.code, end.err)
			}
			for _, name := range []string{socket.Name, ".control"} {
				if _, err := os.Lstat(filepath.Join(dir, name)); !os.IsNotExist(err) {
					t.Errorf("%s is still there: %v", name, err)
				}
			}
			if s := c.run("state", "logger", "--dir", dir); s.code != app.ExitOK {
				t.Errorf("after the end: exit %d\n%s", s.code, s.err)
			}
		})
	}
}

// leaveStaleSocket leaves behind what a crash does.
func leaveStaleSocket(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, ".control"), 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := socket.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	// A process that another test starts has all open files until its program begins: the socket still listens until then.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		conn, err := socket.Dial(ctx, dir)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	if ctx.Err() != nil {
		t.Fatal("the socket is not stale")
	}
	if err := os.MkdirAll(filepath.Join(dir, ".control", "more"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestStateOfNothing(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.run("state", "worker")
	if r.code != app.ExitBlind || r.stdout != "" {
		t.Errorf("exit %d, %q", r.code, r.stdout)
	}
	mustContain(t, "the error", r.err, c.dir("fizzbuzz"), "not a data directory", "--dir")
	if _, err := os.Stat(c.dir("fizzbuzz")); !os.IsNotExist(err) {
		t.Errorf("looking made the directory: %v", err)
	}
}
