//go:build unix

package userfile

import (
	"io/fs"
	"os"
	"syscall"
)

// isForeign says that neither the user nor root owns a file.
func isForeign(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return known && stat.Uid != 0 && int(stat.Uid) != os.Geteuid()
}
