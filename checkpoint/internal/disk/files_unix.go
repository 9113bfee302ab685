//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"penstock/internal/nofollow"
)

// Used counts what is allocated: Badger's logs are made large and filled later.
func Used(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(st.Blocks) * 512
	}
	return info.Size()
}

// Fsync makes a file or a directory durable, with pages that were changed through a
// mapping of the file.
func Fsync(path string) error {
	open := nofollow.Open
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		open = nofollow.OpenDirectory
	}
	f, err := open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
