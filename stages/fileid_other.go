//go:build !unix

package stages

import "io/fs"

// fileID is unknown here: a file is told from another by its content alone.
func fileID(fs.FileInfo) (device, inode uint64) { return 0, 0 }
