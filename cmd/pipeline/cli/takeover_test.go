package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// A run that goes on is taken over from a new directory only with its own arguments. Otherwise it is not touched.
func TestATakeOverNeedsTheArgumentsOfTheRun(t *testing.T) {
	t.Parallel()
	url := "nats://user:secret@" + startServer(t)
	c := newCommand(t)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	owner, empty, next := filepath.Join(t.TempDir(), "it's \x1b mine"), filepath.Join(t.TempDir(), "empty"), filepath.Join(t.TempDir(), "next")
	run := []string{"run", "fizzbuzz", "--rate=1ms", "--no-faults", "--nats", url}
	live := c.start(append(run, "--beats=1000000", "--dir", owner)...)
	live.stderr.Await(t, "running")
	other := c.run(append(run, "--beats=5", "--dir", empty)...)
	if other.code != app.ExitUsage {
		t.Errorf("other arguments: exit %d", other.code)
	}
	mustContain(t, "the refusal", other.err, "--beats 1000000", "--beats 5", `it's \\x1b mine`, "on host "+host, empty, "with --dir", "another server with --nats")
	if strings.Contains(other.err, "--fresh") || strings.Contains(other.err, "\x1b") {
		t.Errorf("the refusal: %s", other.err)
	}
	if _, err := os.Stat(filepath.Join(empty, "penstock.json")); err == nil {
		t.Error("the directory that was refused is taken")
	}
	before := lastOf(t, url)["fizzbuzz+generator"]
	for lastOf(t, url)["fizzbuzz+generator"] <= before { // it goes on, until the test ends
		if t.Context().Err() != nil || strings.Contains(live.stderr.String(), "failed") {
			t.Fatalf("the run does not go on:\n%s", live.stderr)
		}
	}
	same := c.start(append(run, "--beats=1000000", "--dir", next)...)
	same.stderr.Await(t, "taking the pipeline over")
	if end := live.wait(); end.code != app.ExitFailed || !strings.Contains(end.err, "another process") {
		t.Errorf("the run that was taken over: exit %d\n%s", end.code, end.err)
	}
	same.stderr.Await(t, "msg=resuming ") // of a stage: the streams tell of this run by now
	same.signals <- os.Interrupt
	if end := same.wait(); end.code != app.ExitOK {
		t.Errorf("the run that took over: exit %d\n%s", end.code, end.err)
	}
	mustContain(t, "the next refusal", c.run(append(run, "--beats=5", "--dir", empty)...).err, next+" on host "+host)
}

// What deletes nothing of another's is no remedy for a directory that was emptied by hand: there it is.
func TestAnEmptiedDirectoryMayStartOver(t *testing.T) {
	t.Parallel()
	url := "nats://user:secret@" + startServer(t)
	c := newCommand(t)
	dir := filepath.Join(t.TempDir(), "data")
	run := []string{"run", "fizzbuzz", "--rate=1ms", "--no-faults", "--nats", url, "--dir", dir}
	first := c.start(append(run, "--beats=1000000")...)
	first.stderr.Await(t, "running")
	first.signals <- os.Interrupt
	first.wait()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	r := c.run(append(run, "--beats=5")...)
	if r.code != app.ExitUsage || !strings.Contains(r.err, "start over with --fresh") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if r := c.run(append(run, "--beats=5", "--fresh")...); r.code != app.ExitOK {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
