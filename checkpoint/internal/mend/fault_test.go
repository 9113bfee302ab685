//go:build unix

package mend

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"penstock/checkpoint/internal/disk"
)

// A mapped file says only that it cannot be read. Where the disk is why, the data may be sound, and nothing says that it
// is damaged; where a file is shorter than its mapping, it is.
func TestAFaultOfTheDiskIsNoDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := faultIn(t, filepath.Join(dir, "1.sst"))
	if !errors.Is(err, disk.ErrUnreadable) || !disk.IsFault(err) {
		t.Fatalf("no fault: %v", err)
	}
	failing := func(dir string) error { return &os.PathError{Op: "read", Path: dir, Err: syscall.EIO} }
	err = damaged(dir, err, failing)
	if errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "Fresh") || !strings.Contains(err.Error(), "system's log") {
		t.Errorf("the disk fails: %v", err)
	}
	if err := Unreadable(dir, faultIn(t, filepath.Join(dir, "2.sst"))); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "Fresh") {
		t.Errorf("the file is too short: %v", err)
	}
}

// faultIn reads a page of a mapped file that the file has no more.
func faultIn(t *testing.T, name string) error {
	t.Helper()
	size := os.Getpagesize()
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(page) })
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	return disk.Guard(func() error {
		if page[0] != 0 {
			return errors.New("it has the page")
		}
		return nil
	})
}
