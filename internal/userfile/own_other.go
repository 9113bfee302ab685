//go:build !unix

package userfile

import "io/fs"

// IsOwn is not known here: the stricter rule holds.
func IsOwn(fs.FileInfo) bool { return true }
