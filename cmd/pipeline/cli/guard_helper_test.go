//go:build unix

package cli

import (
	"bufio"
	"context"
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
	t     *testing.T
	cmd   *exec.Cmd
	out   *watched
	stdin io.Writer
}

// startGuarded starts `pipeline run --guard` in a process group of its own.
func startGuarded(t *testing.T, args ...string) *guarded {
	t.Helper()
	g := &guarded{t: t, cmd: workerCommand(append([]string{"run", "--guard"}, args...)...), out: newWatched()}
	return g.start()
}

func (g *guarded) start() *guarded {
	g.t.Helper()
	g.cmd.Stderr = g.out
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := g.cmd.StdinPipe()
	if err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	g.stdin = stdin
	g.t.Cleanup(func() { _ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) })
	return g
}

// workerCommand is the command line in the test binary.
func workerCommand(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

func (g *guarded) order(order string) {
	g.t.Helper()
	if _, err := fmt.Fprintln(g.stdin, order); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guarded) signal(s syscall.Signal) {
	g.t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		g.t.Fatal(err)
	}
}

// await waits until the text was said n times.
func (g *guarded) await(text string, n int) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	for {
		g.out.mu.Lock()
		found, changed := strings.Count(g.out.text.String(), text), g.out.changed
		g.out.mu.Unlock()
		if found >= n {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			g.t.Fatalf("%q was said %d times, not %d:\n%s", text, found, n, g.out)
		}
	}
}

// code waits for the end of the guard, and of the worker, which has the same
// standard error.
func (g *guarded) code() int {
	g.t.Helper()
	hung := time.AfterFunc(patience, func() { _ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGQUIT) })
	defer hung.Stop()
	return codeOf(g.t, g.cmd)
}

// mustEnd checks code and number of restarts.
func (g *guarded) mustEnd(code, restarts int, said ...string) {
	g.t.Helper()
	if got := g.code(); got != code {
		g.t.Errorf("exit %d, want %d\n%s", got, code, g.out)
	}
	if got := strings.Count(g.out.String(), "starting it again"); got != restarts {
		g.t.Errorf("%d restarts, want %d\n%s", got, restarts, g.out)
	}
	mustContain(g.t, "the log", g.out.String(), said...)
}
