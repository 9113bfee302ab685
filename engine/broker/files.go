package broker

import (
	"path"
	"slices"
)

// IsFile says that a name in the directory of an embedded server is one that the server gives to a file: a directory
// there would be taken for it.
func IsFile(name string) bool {
	return slices.Contains([]string{".inf", ".sum", ".blk", ".db", ".dat", ".key", ".lock"}, path.Ext(name))
}
