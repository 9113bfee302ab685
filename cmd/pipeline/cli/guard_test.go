//go:build unix

package cli

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/guard"
	"penstock/cmd/pipeline/internal/runcmd"
	"penstock/engine/supervise"
	"penstock/internal/testing/child"
)

const (
	resuming = "resuming the run that was interrupted"
	working  = " number=" // the logger has logged one
)

func TestGuardRestartsAfterEveryKindOfDeath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if r := newCommand(t).run("run", "--rate=1ms", "--beats=10", "--dir", dir); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	g := startGuarded(t, "--fresh", "--rate=20ms", "--beats=120", "--dir", dir)
	g.await(working, 1)
	deaths := []string{"kill", "exit", "panic", "overflow"}
	for i, death := range deaths {
		g.await(resuming, i)
		g.order(death)
		g.await("starting it again", i+1)
	}
	g.mustEnd(app.ExitOK, len(deaths), `end="signal: killed"`, `end="exit status 7"`, `end="exit status 2 (a panic or a fatal error)"`,
		"a goroutine of the user's", "stack overflow", "restart=1 delay=", "restart=4 delay=", "pid=", "ran=", "msg=complete")
	if got := strings.Count(g.Stderr.String(), resuming); got != len(deaths) {
		t.Errorf("resumed %d times: --fresh is for the first worker\n%s", got, g.Stderr)
	}
	if r := newCommand(t).run("state", "logger", "--dir", dir); r.stdout != logged {
		t.Errorf("%s%s", r.stdout, r.err)
	}
}

func TestGuardKeepsTheCodeOfAnOrderlyEnd(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	dir := filepath.Join(t.TempDir(), "data")
	first := c.start("run", "--rate=2ms", "--beats=100000", "--dir", dir)
	first.stderr.Await(t, working)
	startGuarded(t, "--dir", dir).mustEnd(app.ExitFailed, 0, "in use")
	first.signals <- os.Interrupt
	first.wait()
	startGuarded(t, "--beats=5", "--dir", dir).mustEnd(app.ExitUsage, 0, "interrupted run with other arguments")
	startGuarded(t, "--nats-token=x", "--dir", dir).mustEnd(app.ExitUsage, 0, "--nats-token")
}

func TestGuardPassesSignalsOn(t *testing.T) {
	t.Parallel()
	const stopped = "stopped; the next run resumes from here"
	// Tests that run under nohup would hand that down to the command.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
	for name, test := range map[string]struct {
		send func(g *guarded)
		code int
		said string
	}{
		"interrupt": {func(g *guarded) { g.signal(syscall.SIGINT) }, app.ExitOK, stopped},
		"terminate": {func(g *guarded) { g.signal(syscall.SIGTERM) }, app.ExitOK, stopped},
		"to both, as a terminal does": {func(g *guarded) {
			_ = syscall.Kill(-g.Cmd.Process.Pid, syscall.SIGINT)
		}, app.ExitOK, stopped},
		"hang up": {func(g *guarded) { g.signal(syscall.SIGHUP) }, 128 + int(syscall.SIGHUP), `end="signal: hangup"`},
		"quit":    {func(g *guarded) { g.signal(syscall.SIGQUIT) }, 2, "SIGQUIT: quit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGuarded(t, "--no-faults", "--rate=10ms", "--beats=100000", "--dir", filepath.Join(t.TempDir(), "data"))
			g.await(working, 1)
			test.send(g)
			g.mustEnd(test.code, 0, test.said)
		})
	}
}

func TestGuardPassesTheSecondSignalOn(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, "--rate=2ms", "--dir", filepath.Join(t.TempDir(), "data"))
	// Three attempts of number 33 with pauses in between have to be drained.
	g.await("generator.0:33, attempt 1", 1)
	g.signal(syscall.SIGTERM)
	g.await("stopping gracefully", 1)
	g.signal(syscall.SIGTERM)
	g.mustEnd(app.ExitFailed, 0, "stopped at once by a second signal")
}

func TestGuardLeavesHangupsIgnored(t *testing.T) {
	t.Parallel()
	shell := exec.Command("sh", "-c", `trap "" HUP; exec "$0" "$@"`, os.Args[0],
		"run", "--guard", "--rate=10ms", "--beats=100000", "--dir", filepath.Join(t.TempDir(), "data"))
	shell.Env = append(os.Environ(), asCommand+"=1")
	g := guardedBy(t, shell)
	g.await(working, 1)
	g.signal(syscall.SIGHUP)
	g.order("kill") // it still restarts, so the hangup has not stopped it
	g.await(resuming, 1)
	g.signal(syscall.SIGTERM)
	g.mustEnd(app.ExitOK, 1)
}

func TestGuardGivesUpAtItsLimit(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, "--rate=20ms", "--beats=100000", "--guard-restarts=2", "--guard-window=1h", "--log-format=json", "--dir", filepath.Join(t.TempDir(), "data"))
	g.await(`"number":`, 1)
	for i := range 3 {
		g.await(resuming, i)
		g.order("exit")
		g.await("starting it again", min(i+1, 2))
	}
	g.mustEnd(app.ExitFailed, 2, "the guard gives up: the child process died 3 times within 1h0m0s (--guard-restarts 2", "exit status 7", "nothing is lost", `"restart":2`)
}

func TestWorkerDrainsWhenItsGuardIsKilled(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	g := startGuarded(t, "--rate=10ms", "--beats=100000", "--dir", dir)
	g.await(working, 1)
	g.signal(syscall.SIGKILL)
	// Until the worker has ended, too: it has the same standard error.
	g.mustEnd(-1, 0, "the guard is gone", "stopping gracefully", "stopped; the next run resumes from here")
	if r := newCommand(t).run("state", "worker", "--dir", dir); r.code != app.ExitOK {
		t.Errorf("exit %d: the worker holds the directory\n%s", r.code, r.err)
	}
}

// newGuard guards fizzbuzz from within this process.
func newGuard(t *testing.T, args ...string) (g guard.Config, signals chan os.Signal, out *child.Output, stdin *os.File) {
	t.Helper()
	signals, out = make(chan os.Signal, 2), child.NewOutput()
	read, stdin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = read.Close(), stdin.Close() })
	g = guard.Config{Signals: signals, Limit: runcmd.GuardFlags{GuardRestarts: 20, GuardWindow: flags.Duration(10 * time.Minute)}.Limit()}
	g.Log = app.LogFlags{LogLevel: "debug", LogFormat: "text"}.Logger(out, app.Plain)
	g.Command = func() (*exec.Cmd, error) {
		cmd := workerCommand(append([]string{"run"}, args...)...)
		cmd.Stdin, cmd.Stderr = read, out
		return cmd, nil
	}
	return g, signals, out, stdin
}

func TestSignalEndsTheWaitForTheNextWorker(t *testing.T) {
	t.Parallel()
	g, signals, out, stdin := newGuard(t, "--rate=20ms", "--dir", filepath.Join(t.TempDir(), "data"))
	g.Backoff = supervise.Fixed(time.Hour)
	ended := make(chan error, 1)
	go func() { ended <- runcmd.EndOfGuard(guard.Serve(g)) }()
	out.Await(t, "msg=running")
	if _, err := stdin.WriteString("exit\n"); err != nil {
		t.Fatal(err)
	}
	out.Await(t, "delay=1h0m0s")
	signals <- syscall.SIGTERM
	if code := app.ExitCode(<-ended); code != 7 {
		t.Errorf("exit %d\n%s", code, out)
	}
	mustContain(t, "the log", out.String(), "no child process is running", "exit status 7", "nothing is lost")
}

func TestGuardWithoutAProgram(t *testing.T) {
	t.Parallel()
	g, _, out, _ := newGuard(t)
	g.Command = func() (*exec.Cmd, error) { return exec.Command(filepath.Join(t.TempDir(), "none")), nil }
	if err := runcmd.EndOfGuard(guard.Serve(g)); app.ExitCode(err) != app.ExitFailed || !strings.Contains(err.Error(), "start the child process") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A worker that dies between the end of the run and its own has nothing left
// to do: the next one would start the run anew.
func TestDeathAfterTheRunIsComplete(t *testing.T) {
	t.Parallel()
	g, _, out, _ := newGuard(t)
	starts := 0
	g.Command = func() (*exec.Cmd, error) {
		starts++
		return exec.Command("sh", "-c", "printf 'ready\ncomplete\n' >&3; kill -9 $$"), nil
	}
	if err := runcmd.EndOfGuard(guard.Serve(g)); err != nil || starts != 1 {
		t.Errorf("%v after %d starts\n%s", err, starts, out)
	}
	mustContain(t, "the log", out.String(), "died after the run was complete", "signal: killed")
}

// What a worker leaves behind may hold its files open.
func TestGuardDoesNotWaitForOrphans(t *testing.T) {
	t.Parallel()
	g, _, out, _ := newGuard(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	g.Command = func() (*exec.Cmd, error) {
		cmd := exec.Command("sh", "-c", "cat <&0 >/dev/null & echo exit 3 >&3")
		cmd.Stdin = read
		return cmd, nil
	}
	if code := app.ExitCode(runcmd.EndOfGuard(guard.Serve(g))); code != 3 {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestLinkWithoutAGuard(t *testing.T) {
	t.Parallel()
	cmd := workerCommand("version")
	cmd.Env = append(cmd.Env, guard.Variable+"="+"start")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != app.ExitUsage || !strings.Contains(string(out), guard.Variable) {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestGuardUsage(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	for args, want := range map[string]string{
		"run --guard --guard-restarts 0": "1 or more",
		"run --guard --guard-window 0":   "above 0",
		"run --guard --sync sometimes":   "always",
	} {
		if r := c.run(strings.Fields(args)...); r.code != app.ExitUsage || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit %d\n%s", args, r.code, r.err)
		}
	}
	mustContain(t, "the help", c.run("run", "--help").stdout, "--guard ", "--guard-restarts", "--guard-window", "20", "10m")
}
