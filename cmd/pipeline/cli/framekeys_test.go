package cli

import (
	"os"
	"path/filepath"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/dlq"
)

// Who looks at authenticated frames has to name the key, and is told so. Dead letters need none: with it an import is
// compared with the frames.
func TestLookingAtAuthenticatedFrames(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	dir, keys := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := c.run("run", "--rate=1ms", "--beats=30", "--no-faults", "--dir", dir, "--frame-key-file", keys); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	for _, verb := range []string{"doctor", "repair", "state"} {
		args := []string{verb, "--dir", dir}
		if verb == "state" {
			args = append(args, "worker")
		}
		r := c.run(args...)
		if r.code != app.ExitBlind {
			t.Errorf("%s without the key: exit %d\n%s", verb, r.code, r.stdout)
		}
		mustContain(t, verb+" without the key", r.err, "authenticated", "nothing is damaged", "--frame-key-file")
		if r = c.run(append(args, "--frame-key-file", keys)...); r.code != app.ExitOK {
			t.Errorf("%s with the key: exit %d\n%s%s", verb, r.code, r.stdout, r.err)
		}
		if verb == "doctor" {
			mustContain(t, "the diagnosis", r.stdout, "with the key", "Nothing is wrong.")
		}
	}
	letter := exported(t, dlq.Letter{Origin: dlq.Origin{Stage: "worker", Input: "generator", Offset: 12345}})
	withKey := c.run("dlq", "import", "--force", letter, "--dir", dir, "--frame-key-file", keys)
	mustBe(t, withKey, app.ExitFailed, "imported 0 dead letters; 1 was refused", "stage worker has not taken message 12345 of generator")
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("fedcba9876543210\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusesToJudge := func(args ...string) {
		t.Helper()
		r := c.run(append(args, "--dir", dir, "--frame-key-file", other)...)
		if r.code == app.ExitOK {
			t.Errorf("%v with another key: %s", args, r.stdout)
		}
		mustContain(t, args[1]+" with another key", r.err, "authenticated with a key that this process does not have", "--frame-key-file")
	}
	refusesToJudge("dlq", "import", "--force", letter)
	mustBe(t, c.run("dlq", "import", "--force", letter, "--dir", dir), app.ExitOK, "imported 1 dead letter", "")
	refusesToJudge("dlq", "replay", "--all")
}
