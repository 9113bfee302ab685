//go:build unix

package stages

import (
	"io/fs"
	"syscall"
)

// fileID is what the system calls a file, whatever its name is.
func fileID(info fs.FileInfo) (device, inode uint64) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(stat.Dev), stat.Ino
}
