package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/testing/child"
)

// startChild starts the command as a process of its own.
func startChild(t *testing.T, args ...string) *child.Child {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	return child.StartFor(t, workerCommand(args...), nil)
}

// workerCommand is the command line in the test binary.
func workerCommand(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

func TestSignalStopsAndNextRunResumes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	for i, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, os.Kill} {
		c := startChild(t, "run", "--rate=10ms", "--beats=120", "--dir", dir)
		c.Stderr.Await(t, " number=")
		if err := c.Cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := c.Code(t); code != app.ExitOK && signal != os.Kill {
			t.Fatalf("%v: exit %d\n%s", signal, code, c.Stderr)
		}
		if i > 0 {
			mustContain(t, "the log", c.Stderr.String(), "resuming the run")
		}
	}
	c := startChild(t, "run", "--rate=2ms", "--beats=120", "--dir", dir)
	if code := c.Code(t); code != app.ExitOK {
		t.Fatalf("exit %d\n%s", code, c.Stderr)
	}
	mustContain(t, "the log", c.Stderr.String(), "resuming the run", "msg=complete")
	if r := newCommand(t).run("state", "logger", "--dir", dir); r.stdout != logged {
		t.Errorf("%s%s", r.stdout, r.err)
	}
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	t.Parallel()
	c := startChild(t, "run", "--rate=2ms", "--dir", filepath.Join(t.TempDir(), "data"))
	// Three attempts of number 33 with pauses in between have to be drained.
	c.Stderr.Await(t, "generator.0:33, attempt 1")
	for _, said := range []string{"stopping gracefully", "stopped at once by a second signal; nothing is lost"} {
		if err := c.Cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		c.Stderr.Await(t, said)
	}
	if code := c.Code(t); code != app.ExitFailed {
		t.Errorf("exit %d\n%s", code, c.Stderr)
	}
}

func TestSecondSignalCallsExit(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 2)
	signals <- os.Interrupt
	signals <- os.Interrupt
	output, left := child.NewOutput(), make(chan int, 1)
	a := newApp().begin(nil, app.System{Stderr: output, Signals: signals, Exit: func(code int) { left <- code }})
	told := false
	ctx, release := a.Interruptible(func() { told = true })
	<-ctx.Done()
	if code := <-left; code != app.ExitFailed || !strings.Contains(output.String(), "nothing is lost") {
		t.Errorf("exit %d, %q", code, output)
	}
	release()
	if !told {
		t.Error("the first signal was not told")
	}
}

// A verb that looks leaves no copies behind, however it ends.
func TestNoCopiesAreLeftBehind(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	c, temp := newCommand(t), t.TempDir()
	dir := filepath.Join(t.TempDir(), "data")
	if r := c.run("run", "--rate=2ms", "--beats=120", "--dir", dir); r.code != app.ExitOK {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	for _, verb := range [][]string{{"dlq", "list"}, {"dlq", "export"}, {"events"}, {"state", "logger"}, {"doctor"}} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := workerCommand(append(verb, "--dir", dir)...)
		cmd.Env, cmd.Stdout = append(cmd.Env, "TMPDIR="+temp), write
		if err := read.Close(); err != nil {
			t.Fatal(err)
		}
		looking := child.StartFor(t, cmd, nil)
		if err := write.Close(); err != nil {
			t.Fatal(err)
		}
		if code := looking.Code(t); code != app.ExitReader || looking.Stderr.String() != "" {
			t.Errorf("%v: exit %d, want %d\n%s", verb, code, app.ExitReader, looking.Stderr)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%v leaves %v, %v", verb, left, err)
		}
	}
}
