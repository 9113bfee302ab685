package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// child starts the command as a process of its own.
func child(t *testing.T, args ...string) (*exec.Cmd, *watched) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	output := newWatched()
	cmd.Stderr = output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, output
}

func codeOf(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

func TestSignalStopsAndNextRunResumes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	for i, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, os.Kill} {
		cmd, output := child(t, "run", "--rate=10ms", "--beats=120", "--dir", dir)
		output.await(t, " number=")
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := codeOf(t, cmd); code != app.ExitOK && signal != os.Kill {
			t.Fatalf("%v: exit %d\n%s", signal, code, output)
		}
		if i > 0 {
			mustContain(t, "the log", output.String(), "resuming the run")
		}
	}
	cmd, output := child(t, "run", "--rate=2ms", "--beats=120", "--dir", dir)
	if code := codeOf(t, cmd); code != app.ExitOK {
		t.Fatalf("exit %d\n%s", code, output)
	}
	mustContain(t, "the log", output.String(), "resuming the run", "msg=complete")
	if r := newCommand(t).run("state", "logger", "--dir", dir); r.stdout != logged {
		t.Errorf("%s%s", r.stdout, r.err)
	}
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	t.Parallel()
	cmd, output := child(t, "run", "--rate=2ms", "--dir", filepath.Join(t.TempDir(), "data"))
	// Three attempts of number 33 with pauses in between have to be drained.
	output.await(t, "generator.0:33, attempt 1")
	for _, said := range []string{"stopping in an orderly way", "stopped at once by a second signal; nothing is lost"} {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		output.await(t, said)
	}
	if code := codeOf(t, cmd); code != app.ExitFailed {
		t.Errorf("exit %d\n%s", code, output)
	}
}

func TestSecondSignalCallsExit(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 2)
	signals <- os.Interrupt
	signals <- os.Interrupt
	output, left := newWatched(), make(chan int, 1)
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
