//go:build unix

package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// Needs root: it takes another user's link.
func TestAnotherUsersLinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a link of another user")
	}
	const other = 12345
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	victim, link, pipe := filepath.Join(t.TempDir(), "victim"), filepath.Join(shared, "report"), filepath.Join(shared, "pipe")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(shared, "dir")
	if err := os.Symlink(filepath.Dir(victim), dir); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, pipe, dir} {
		if err := os.Lchown(path, other, other); err != nil {
			t.Fatal(err)
		}
	}
	c := newCommand(t)
	for _, path := range []string{link, pipe, filepath.Join(dir, "new")} {
		r := c.run("run", "--rate=1ms", "--beats=5", "--fresh", "--report", path)
		if r.code != app.ExitUsage || !strings.Contains(r.err, "of another user") {
			t.Errorf("%s: exit %d\n%s", path, r.code, r.err)
		}
	}
	if r := c.run("run", "--rate=1ms", "--beats=5", "--fresh", "--report", "-"); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	if r := c.run("dlq", "export", "--output", link); r.code != app.ExitFailed || !strings.Contains(r.err, "of another user") {
		t.Errorf("export: exit %d\n%s", r.code, r.err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("a b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, filepath.Join(dir, "victim")} {
		r := c.run("run", "wordcount", text, "--fresh", "--output", path)
		if r.code != app.ExitUsage || !strings.Contains(r.err, "of another user") {
			t.Errorf("wordcount: exit %d\n%s", r.code, r.err)
		}
	}
	if r := c.run("run", "--rate=1ms", "--beats=5", "--fresh", "--dir", filepath.Join(dir, "data")); r.code != app.ExitFailed || !strings.Contains(r.err, "of another user") {
		t.Errorf("--dir: exit %d\n%s", r.code, r.err)
	}
	if entries, err := os.ReadDir(filepath.Dir(victim)); err != nil || len(entries) != 1 {
		t.Errorf("beside the victim: %v, %v", entries, err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("the victim is %q, %v", data, err)
	}
}

// A pipe without a reader would be waited for, at the end of the run.
func TestAReportIsNotWrittenToAPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCommand(t)
	if r := c.run("run", "--rate=1ms", "--beats=5", "--fresh", "--report", pipe); r.code != app.ExitUsage || !strings.Contains(r.err, pipe+" is a pipe") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	for _, args := range [][]string{{"dlq", "import", pipe}, {"replay-telemetry", pipe}} {
		if r := c.run(args...); r.code == app.ExitOK || !strings.Contains(r.err, pipe+" is a pipe") {
			t.Errorf("%v: exit %d\n%s", args, r.code, r.err)
		}
	}
}

func TestADataDirectoryThatIsALinkToNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dangling, loop := filepath.Join(dir, "dangling"), filepath.Join(dir, "loop")
	if err := errors.Join(os.Symlink("nowhere", dangling), os.Symlink("loop", loop)); err != nil {
		t.Fatal(err)
	}
	c := newCommand(t)
	for _, args := range [][]string{{"run", "--rate=1ms", "--beats=5"}, {"doctor"}, {"state", "worker"}, {"events"}, {"dlq", "list"}, {"repair"}} {
		for path, want := range map[string]string{
			dangling: dangling + " leads to " + filepath.Join(dir, "nowhere") + ", which does not exist: create that directory",
			loop:     loop + " is a symbolic link that leads in a circle: remove it",
		} {
			r := c.run(append(args, "--dir", path)...)
			if r.code == app.ExitOK || !strings.Contains(r.err, want) {
				t.Errorf("%v: exit %d\n%s", args, r.code, r.err)
			}
		}
	}
}
