//go:build linux || darwin || freebsd

package disk

import (
	"fmt"
	"syscall"
)

// Space tells how many bytes of the file system that holds dir are free for this process, and how large it is.
func Space(dir string) (free, size int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, fmt.Errorf("read the free space of %s: %w", dir, err)
	}
	block := int64(s.Bsize)
	return int64(s.Bavail) * block, int64(s.Blocks) * block, nil
}
