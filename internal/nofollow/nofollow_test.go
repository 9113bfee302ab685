//go:build unix

package nofollow

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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
		"open": open, "write": WriteFile(link, []byte("no"), 0o600), "check": Check(link), "tree": CheckTree(dir, Tree{}),
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

// A pipe without a writer would be waited for, and so would what is put in the place of a checked file.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	t.Parallel()
	for what, put := range map[string]func(path string) error{
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		_, open := Open(path)
		_, read := ReadFile(path)
		isFile := func(name string) bool { return name == "file" }
		for name, err := range map[string]error{
			"open": open, "read": read, "write": WriteFile(path, nil, 0o600), "check": Check(path), "tree": CheckTree(dir, Tree{IsFile: isFile}),
		} {
			if !errors.Is(err, ErrKind) || !strings.Contains(err.Error(), path+" is "+what) {
				t.Errorf("%s of %s: %v", name, what, err)
			}
		}
		if _, err := OpenDirectory(path); (err == nil) != (what == "a directory") {
			t.Errorf("%s as a directory: %v", what, err)
		}
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(fifo, os.O_RDONLY|Flag, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// A socket has its place, and a directory may be everywhere but in the place of a file.
func TestWhatBelongsInATreeIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "of", "the user"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "of", "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Skip(err) // the name is too long here
	}
	defer listener.Close()
	lock := func(name string) bool { return name == "of/lock" }
	if err := CheckTree(dir, Tree{IsFile: lock, IsSocket: func(name string) bool { return name == "s" }}); err != nil {
		t.Error(err)
	}
	if err := CheckTree(dir, Tree{IsFile: lock}); !errors.Is(err, ErrKind) {
		t.Errorf("a socket in the wrong place: %v", err)
	}
}
