//go:build !unix

package checkpoint

import (
	"errors"
	"io/fs"
	"os"

	"penstock/internal/nofollow"
)

func diskUse(info fs.FileInfo) int64 { return info.Size() }

// fsync makes a file durable. Directories cannot be synced here.
func fsync(path string) error {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return err
	}
	f, err := nofollow.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
