//go:build !unix

package disk

import (
	"errors"
	"io/fs"
	"os"

	"penstock/internal/nofollow"
)

// Used is the space that a file takes.
func Used(info fs.FileInfo) int64 { return info.Size() }

// Fsync makes a file durable. Directories cannot be synced here.
func Fsync(path string) error {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return err
	}
	f, err := nofollow.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
