//go:build unix

package engine

import (
	"io/fs"
	"os"
	"syscall"
)

// isOwn says whether a file belongs to the user of this process.
func isOwn(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return !known || int(stat.Uid) == os.Geteuid()
}
