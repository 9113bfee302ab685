//go:build unix

package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/guard"
	"penstock/internal/testing/child"
)

// A worker of the test binary dies as standard input says.
func init() {
	if os.Getenv(asCommand) != "" && os.Getenv(guard.Variable) != "" {
		go obey(os.Stdin)
	}
}

func obey(orders io.Reader) {
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		switch order := lines.Text(); order {
		case "kill":
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case "exit":
			os.Exit(7)
		case "panic":
			panic("a goroutine of the user's")
		case "overflow":
			debug.SetMaxStack(1 << 16) // a gigabyte would take seconds
			fmt.Fprintln(io.Discard, deep(1))
		}
	}
}

func deep(n int) int {
	if n == 0 {
		return 0
	}
	return deep(n+1) + n
}

// guarded is a guard that runs as a process, and its worker.
type guarded struct {
	*child.Child
	t *testing.T
}

// startGuarded starts `pipeline run --guard` in a process group of its own.
func startGuarded(t *testing.T, args ...string) *guarded {
	t.Helper()
	return guardedBy(t, workerCommand(append([]string{"run", "--guard"}, args...)...))
}

func guardedBy(t *testing.T, cmd *exec.Cmd) *guarded {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	g := &guarded{child.StartFor(t, cmd, nil), t}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	return g
}

func (g *guarded) order(order string) {
	g.t.Helper()
	if _, err := fmt.Fprintln(g.Stdin, order); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guarded) signal(s syscall.Signal) {
	g.t.Helper()
	if err := g.Cmd.Process.Signal(s); err != nil {
		g.t.Fatal(err)
	}
}

// await waits until the text was said n times.
func (g *guarded) await(text string, n int) {
	g.t.Helper()
	g.Stderr.AwaitCount(g.t, text, n)
}

// code waits for the end of the guard, and of the worker, which has the same
// standard error.
func (g *guarded) code() int {
	g.t.Helper()
	hung := time.AfterFunc(patience, func() { _ = syscall.Kill(-g.Cmd.Process.Pid, syscall.SIGQUIT) })
	defer hung.Stop()
	return g.Code(g.t)
}

// mustEnd checks code and number of restarts.
func (g *guarded) mustEnd(code, restarts int, said ...string) {
	g.t.Helper()
	if got := g.code(); got != code {
		g.t.Errorf("exit %d, want %d\n%s", got, code, g.Stderr)
	}
	if got := strings.Count(g.Stderr.String(), "starting it again"); got != restarts {
		g.t.Errorf("%d restarts, want %d\n%s", got, restarts, g.Stderr)
	}
	mustContain(g.t, "the log", g.Stderr.String(), said...)
}
