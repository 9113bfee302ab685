package userfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// isDescriptor says that a path names an open descriptor of this process, which
// its caller has opened.
func isDescriptor(path string) bool {
	path = filepath.Clean(path)
	switch path {
	case "/dev/stdin", "/dev/stdout", "/dev/stderr":
		return true
	}
	return strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(null, info)
}

// ownStream says that what a path names is a stream of this process: the null
// device, a descriptor, or the terminal or pipe that is its standard output or
// error. file is the open one, or nil.
func ownStream(path string) (file *os.File, own bool) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false
	}
	if info.Mode().IsRegular() && !isDescriptor(path) || info.IsDir() {
		return nil, false
	}
	for _, one := range []*os.File{os.Stdout, os.Stderr} {
		if now, err := one.Stat(); err == nil && os.SameFile(now, info) {
			return one, true
		}
	}
	return nil, isNull(info) || isDescriptor(path)
}
