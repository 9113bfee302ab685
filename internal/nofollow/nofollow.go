package nofollow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrLink says that there is a symbolic link where a file belongs.
var ErrLink = errors.New("a symbolic link")

// OpenFile is os.OpenFile, and ErrLink where there is a link.
func OpenFile(path string, flag int, perm os.FileMode) (*os.File, error) {
	if err := Check(path); err != nil { // names it, also where the system has no flag for it
		return nil, err
	}
	return os.OpenFile(path, flag|Flag, perm)
}

// WriteFile is os.WriteFile, and ErrLink where there is a link.
func WriteFile(path string, data []byte, perm os.FileMode) error {
	file, err := OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// Create makes a file that was not there. What is in its place is removed first,
// a link itself and not what it leads to.
func Create(path string, perm os.FileMode) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// Check is ErrLink where there is a link.
func Check(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return linkError(path)
	}
	return nil
}

// CheckTree is ErrLink where there is a link anywhere below a directory, which may
// be changing. The directory itself may be a link, and must be given resolved then.
func CheckTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.Type()&fs.ModeSymlink != 0:
			return linkError(path)
		}
		return nil
	})
}

func linkError(path string) error {
	return fmt.Errorf("%s is %w, which is not allowed in a data directory: remove it, or replace it by its target", path, ErrLink)
}
