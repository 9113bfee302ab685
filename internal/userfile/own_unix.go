//go:build unix

package userfile

import (
	"io/fs"
	"os"
	"syscall"
)

// IsOwn says whether a file belongs to the user of this process.
func IsOwn(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return !known || int(stat.Uid) == os.Geteuid()
}
