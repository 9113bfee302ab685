package nofollow

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// Tree says what belongs in a directory besides regular files and directories of any name. Names are paths below it,
// with slashes.
type Tree struct {
	IsFile   func(name string) bool // no directory may have this name; nil: every name is allowed
	IsDir    func(name string) bool // no file may have this name; nil: every name is allowed
	IsSocket func(name string) bool // a socket may have this name; nil: none may
}

// CheckTree returns ErrLink where there is a link anywhere below a directory, and ErrKind or ErrNotDirectory where
// there is something that does not belong there: libraries that open what is in it would follow the link, or wait for
// the pipe. The directory may be changing. It may be a link itself, and must be given resolved then.
func CheckTree(dir string, t Tree) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case path == dir:
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch mode := entry.Type(); {
		case mode.IsRegular() && t.IsDir != nil && t.IsDir(name):
			return notDirectory(path)
		case mode.IsRegular(), mode.IsDir() && (t.IsFile == nil || !t.IsFile(name)), mode&fs.ModeSocket != 0 && t.IsSocket != nil && t.IsSocket(name):
			return nil
		default:
			return checkKind(path, mode)
		}
	})
}
