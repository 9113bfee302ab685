package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"penstock/internal/nofollow"
)

// ToDisk and ToMemory finish each file of a copy. A backup must survive a power cut.
var (
	ToDisk   = (*os.File).Sync
	ToMemory = func(*os.File) error { return nil }
)

// CopyTree copies the regular files of a directory, with their modes. Sockets and
// links are left out. to must not be there.
func CopyTree(from, to string, finish func(*os.File) error) error {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			return os.Mkdir(filepath.Join(to, name), info.Mode().Perm()|0o700)
		case !info.Mode().IsRegular():
			return nil
		}
		return copyFile(path, filepath.Join(to, name), info, finish)
	})
	if err != nil {
		return fmt.Errorf("copy %s to %s: %w", from, to, err)
	}
	dir, err := nofollow.OpenDirectory(to)
	if err != nil {
		return err
	}
	return errors.Join(finish(dir), dir.Close())
}

func copyFile(from, to string, info fs.FileInfo, finish func(*os.File) error) error {
	source, err := nofollow.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, finish(target), target.Close(), os.Chtimes(to, info.ModTime(), info.ModTime()))
}
