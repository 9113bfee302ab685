package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"penstock/internal/nofollow"
	"penstock/internal/userfile"
)

// Purpose is what a directory is for: its name begins with it.
type Purpose string

// The purposes.
const (
	ForLook        Purpose = "penstock-look-"
	ForExamination Purpose = "penstock-examine-"
)

// purposes are all of them: what has another name is never removed.
var purposes = []Purpose{ForLook, ForExamination}

// Dir is a directory for temporary copies. Its process has it locked, so that others leave it alone.
type Dir struct {
	Path string
	lock *flock.Flock
}

// Make makes a directory in os.TempDir for this user alone. Before, it removes those of the user that no living process
// has. Remove it.
func Make(purpose Purpose) (*Dir, error) {
	sweep(os.TempDir())
	for {
		path, err := os.MkdirTemp("", string(purpose))
		if err != nil {
			return nil, fmt.Errorf("make a directory for copies: %w", err)
		}
		d := &Dir{Path: path, lock: lockOf(path)}
		if d.isKept() {
			return d, nil
		}
		_ = d.lock.Close()
	}
}

// isKept locks a directory that was made, and says whether it is there still: another process may have taken it for one
// that was left. Where directories cannot be locked, none is removed but by its own process.
func (d *Dir) isKept() bool {
	made, err := os.Lstat(d.Path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	locked, err := d.lock.TryLock()
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return locked && isAt(d.Path, made)
}

// Remove removes the directory with what is in it.
func (d *Dir) Remove() error {
	return errors.Join(os.RemoveAll(d.Path), d.lock.Close())
}

// sweep removes what killed processes left. What it cannot remove is no reason not to look.
func sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if isOurs(entry.Name()) {
			drop(filepath.Join(parent, entry.Name()))
		}
	}
}

func isOurs(name string) bool {
	return slices.ContainsFunc(purposes, func(p Purpose) bool { return strings.HasPrefix(name, string(p)) })
}

// drop removes a directory of this user that no process has locked.
func drop(path string) {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || !userfile.IsOwn(info) {
		return
	}
	lock := lockOf(path)
	defer lock.Close()
	if locked, err := lock.TryLock(); err == nil && locked && isAt(path, info) {
		_ = os.RemoveAll(path)
	}
}

// lockOf is the lock of a directory: on the directory itself, so that one without a lock is never there.
func lockOf(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_RDONLY|nofollow.Flag))
}

func isAt(path string, info fs.FileInfo) bool {
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(now, info)
}
