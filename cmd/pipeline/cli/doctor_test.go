package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/doctorcmd"
	"penstock/internal/argsfile"
)

func TestDoctorAndRepair(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	dir := filepath.Join(t.TempDir(), "data")
	if r := c.run("doctor", "--dir", dir); r.code != app.ExitBlind || !strings.Contains(r.err, "not a data directory") {
		t.Fatalf("nothing there: exit %d\n%s%s", r.code, r.stdout, r.err)
	}
	run := c.start("run", "--rate=5ms", "--beats=100000", "--no-faults", "--dir", dir)
	run.stderr.Await(t, "number=3\n")
	r := c.run("doctor", "--dir", dir)
	if r.code != app.ExitOK || !strings.Contains(r.stdout, "running: the files") || !strings.Contains(r.stdout, "Nothing is wrong.") {
		t.Errorf("running: exit %d\n%s%s", r.code, r.stdout, r.err)
	}
	if r := c.run("repair", "--dir", dir); r.code != app.ExitBlind || !strings.Contains(r.err, "locked by process") {
		t.Errorf("repair while it runs: exit %d\n%s%s", r.code, r.stdout, r.err)
	}
	run.signals <- os.Interrupt
	if end := run.wait(); end.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", end.code, end.err)
	}
	if r := c.run("doctor", "--dir", dir); r.code != app.ExitOK {
		t.Errorf("stopped: exit %d\n%s%s", r.code, r.stdout, r.err)
	}
	if r := c.run("repair", "--dir", dir); r.code != app.ExitOK || !strings.Contains(r.stdout, "Nothing is wrong.") {
		t.Errorf("nothing to repair: exit %d\n%s%s", r.code, r.stdout, r.err)
	}
	checkMended(t, c, dir)
	checkRefused(t, c, dir)
}

// checkMended damages what can be mended.
func checkMended(t *testing.T, c command, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "in-flight"), []byte("no such thing"), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := filepath.Join(dir, argsfile.Name)
	if data, err := os.ReadFile(arguments); err != nil || os.WriteFile(arguments, []byte(strings.Replace(string(data), "beats", "beets", 1)), 0o600) != nil {
		t.Fatal(err)
	}
	r := c.run("doctor", "--dir", dir)
	if r.code != app.ExitFailed {
		t.Errorf("exit %d", r.code)
	}
	mustContain(t, "the diagnosis", r.stdout, "WRONG", "in-flight file", "arguments.json is damaged", "remove the file of the arguments", "pipeline repair --dir "+dir)
	var d doctorcmd.Diagnosis
	r = c.run("doctor", "--json", "--dir", dir)
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil || r.code != app.ExitFailed || d.Sound || !d.Mendable || len(d.Steps) != 2 {
		t.Errorf("exit %d, %v\n%s", r.code, err, r.stdout)
	}
	r = c.run("repair", "--dir", dir)
	if r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.err)
	}
	backups, _ := filepath.Glob(dir + ".backup-*")
	if len(backups) != 1 {
		t.Fatalf("backups: %q", backups)
	}
	mustContain(t, "the repair", r.stdout, "Repaired. A copy", backups[0])
	if data, err := os.ReadFile(filepath.Join(backups[0], "in-flight")); err != nil || string(data) != "no such thing" {
		t.Errorf("the backup has %q, %v", data, err)
	}
	if r := c.run("doctor", "--dir", dir); r.code != app.ExitOK {
		t.Errorf("afterwards: exit %d\n%s%s", r.code, r.stdout, r.err)
	}
}

// checkRefused takes away what cannot be made up for.
func checkRefused(t *testing.T, c command, dir string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, "jetstream", "jetstream")); err != nil {
		t.Fatal(err)
	}
	r := c.run("doctor", "--dir", dir)
	if r.code != app.ExitFailed {
		t.Errorf("exit %d", r.code)
	}
	mustContain(t, "the diagnosis", r.stdout, "WRONG", "channel worker", "cannot be repaired without guessing", "--fresh")
	r = c.run("repair", "--dir", dir)
	if r.code != app.ExitFailed || !strings.Contains(r.err, "without guessing") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.err)
	}
	if backups, _ := filepath.Glob(dir + ".backup-*"); len(backups) != 1 {
		t.Errorf("a refusal made a backup: %q", backups)
	}
}
