package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// Nothing on the command line but the login is wrong, and the server is quoted once.
func TestAWrongPasswordIsCalledThat(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.run("run", "fizzbuzz", "--nats", startServer(t), "--nats-user=user", "--nats-password=wrong")
	_, end, _ := strings.Cut(r.err, "level=ERROR")
	if r.code != app.ExitUsage || strings.Contains(end, "check the flags") || strings.Count(end, "Authorization Violation") != 1 || !strings.Contains(end, "rejected the login of user user") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}

// A directory of something else is called that; no server is missing.
func TestADirectoryOfSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	for _, theirs := range []string{"checkpoints", "checkpoints/epoch-1.pt"} {
		dir := t.TempDir()
		path := filepath.Join(dir, theirs)
		for _, made := range []string{filepath.Dir(path), filepath.Join(dir, "jetstream")} {
			if err := os.MkdirAll(made, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte("weights"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, verb := range [][]string{{"run", "fizzbuzz", "--beats=1"}, {"doctor"}, {"state", "worker"}} {
			r := c.run(append(verb, "--dir", dir)...)
			if r.code == app.ExitOK || strings.Contains(r.stdout+r.err, "name the NATS server") || !strings.Contains(r.stdout+r.err, filepath.Join(dir, "checkpoints")) {
				t.Errorf("%s, %v: exit %d\n%s%s", theirs, verb, r.code, r.stdout, r.err)
			}
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != "weights" {
			t.Errorf("%s: %q, %v", theirs, data, err)
		}
	}
}
