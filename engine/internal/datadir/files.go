package datadir

import (
	"errors"
	"io/fs"
	"os"
	"runtime"

	"penstock/internal/nofollow"
)

// Exists says whether there is something at a path: a link counts.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Sync brings the names in a directory to the disk.
func Sync(path string) error {
	if runtime.GOOS == "windows" { // which cannot
		return nil
	}
	dir, err := nofollow.OpenDirectory(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
