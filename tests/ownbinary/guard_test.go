//go:build unix

package ownbinary

import (
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
)

var workerPID = regexp.MustCompile(`msg="child process started".* pid=(\d+)`)

// The guard starts a program of one's own again when it is killed, and passes on the
// signal that stops it.
func TestAProgramOfOnesOwnIsGuarded(t *testing.T) {
	t.Parallel()
	program := built(t, "program")
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, program, "run", "squares", "--numbers=5", "--halt=3", "--guard", "--log-level=debug", "--dir", dir)
	p.await("msg=running")
	worker, err := strconv.Atoi(workerPID.FindStringSubmatch(p.stderr())[1])
	if err != nil {
		t.Fatal(err)
	}
	until(t, "14\n", program, "state", "sum", "--dir", dir)
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.await("resuming the run that was interrupted")
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit %d:\n%s", code, p.stderr())
	}
	mustContain(t, "the log", p.stderr(), "the child process died; starting it again", "stopped; the next run resumes from here")
	mustContain(t, "the next run", run(t, 0, program, "run", "squares", "--numbers=5", "--report", "-", "--dir", dir), `"pipeline": "squares"`, `"completed": true`)
}
