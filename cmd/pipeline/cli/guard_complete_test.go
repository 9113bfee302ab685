//go:build unix

package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/guard"
	"penstock/cmd/pipeline/internal/runcmd"
	"penstock/engine/faultpoint"
)

const nothingLeft = "was already complete when its process died"

// dyingWhenComplete makes a worker die when its run is complete and nobody was
// told.
func dyingWhenComplete(cmd *exec.Cmd) *exec.Cmd {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, faultpoint.Variable+"="+faultpoint.AllStopped)
	return cmd
}

// A worker that dies when its run is complete is followed by one that says so,
// and does not run the pipeline once more.
func TestGuardDoesNotRepeatACompleteRun(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	report := filepath.Join(t.TempDir(), "report")
	g, _, out, _ := newGuard(t, "--rate=1ms", "--beats=120", "--dir", dir, "--report", report)
	command, starts := g.Command, 0
	g.Command = func() (*exec.Cmd, error) {
		cmd, err := command()
		if starts++; err == nil && starts <= 2 { // the second one dies there as well
			cmd = dyingWhenComplete(cmd)
		}
		return cmd, err
	}
	if err := runcmd.EndOfGuard(guard.Serve(g)); err != nil || starts != 3 {
		t.Errorf("%v after %d starts\n%s", err, starts, out)
	}
	mustContain(t, "the log", out.String(), nothingLeft, "msg=complete", `end="signal: killed"`)
	if strings.Contains(out.String(), "starting from the beginning") || strings.Count(out.String(), "number=1\n") != 1 {
		t.Errorf("it ran once more:\n%s", out)
	}
	var told runcmd.Report
	data, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(data, &told)
	}
	if err != nil || told.Exit != app.ExitOK || !told.Completed || len(told.Stages) == 0 {
		t.Errorf("%v, %s", err, data)
	}
	c := newCommand(t)
	if r := c.run("state", "logger", "--dir", dir); r.stdout != logged {
		t.Errorf("%s%s", r.stdout, r.err)
	}
	if r := c.run("run", "--rate=1ms", "--beats=5", "--dir", dir, "--discard-letters"); r.code != app.ExitOK || !strings.Contains(r.err, "starting from the beginning") {
		t.Errorf("the next run: exit %d\n%s", r.code, r.err)
	}
}

// The same without a guard: something else starts it again, such as systemd.
func TestCompleteRunIsToldByTheNextProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"run", "--rate=1ms", "--beats=45", "--dir", dir}
	if out, err := dyingWhenComplete(workerCommand(args...)).CombinedOutput(); err == nil {
		t.Fatalf("it did not die:\n%s", out)
	}
	c := newCommand(t)
	if r := c.run(args...); r.code != app.ExitOK || !strings.Contains(r.err, nothingLeft) || !strings.Contains(r.err, "msg=complete") || strings.Contains(r.err, "number=1\n") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if list := mustList(t, c.run("dlq", "list", "--json", "--dir", dir)); len(list) != 2 {
		t.Errorf("letters %v", idsOf(list))
	}
	// To look at them is no run: neither before nor after.
	if r := c.run(append(args, "--discard-letters")...); r.code != app.ExitOK || !strings.Contains(r.err, "starting from the beginning") || !strings.Contains(r.err, "deleted the dead letters of the last run\" pipeline=fizzbuzz count=2") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if out, err := dyingWhenComplete(workerCommand(args...)).CombinedOutput(); err == nil {
		t.Fatalf("it did not die:\n%s", out)
	}
	if r := c.run("dlq", "list", "--dir", dir); r.code != app.ExitOK {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if r := c.run(append(args, "--fresh")...); r.code != app.ExitOK || strings.Contains(r.err, nothingLeft) || !strings.Contains(r.err, "number=1\n") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
