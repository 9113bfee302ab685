//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
	for _, path := range []string{link, pipe} {
		if err := os.Lchown(path, other, other); err != nil {
			t.Fatal(err)
		}
	}
	c := newCommand(t)
	for _, path := range []string{link, pipe} {
		r := c.run("run", "--rate=1ms", "--beats=5", "--fresh", "--report", path)
		if r.code != exitUsage || !strings.Contains(r.err, "of another user") {
			t.Errorf("%s: exit %d\n%s", path, r.code, r.err)
		}
	}
	if r := c.run("run", "--rate=1ms", "--beats=5", "--fresh", "--report", "-"); r.code != exitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	if r := c.run("dlq", "export", "--output", link); r.code != exitFailed || !strings.Contains(r.err, "of another user") {
		t.Errorf("export: exit %d\n%s", r.code, r.err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("the victim is %q, %v", data, err)
	}
}
