//go:build unix

package nofollow

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLinksAreNotWrittenThrough(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "file")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	_, open := OpenFile(link, os.O_RDWR, 0)
	for name, err := range map[string]error{
		"open": open, "write": WriteFile(link, []byte("no"), 0o600), "check": Check(link), "tree": CheckTree(dir),
	} {
		if !errors.Is(err, ErrLink) || !strings.Contains(err.Error(), link) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.OpenFile(link, os.O_RDWR|Flag, 0); err == nil {
		t.Error("the flag lets a link be opened")
	}
	file, err := Create(link, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is still there: %v, %v", info, err)
	}
	if data, err := os.ReadFile(outside); err != nil || string(data) != "precious" {
		t.Errorf("what the link led to is %q, %v", data, err)
	}
}
