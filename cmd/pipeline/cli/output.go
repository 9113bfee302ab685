package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"penstock/internal/nofollow"
)

// output is a file that a command was told to write.
type output struct {
	path    string
	mode    os.FileMode // of the file that is there, or 0
	special bool        // a pipe or a device: it is written to, and not replaced
}

// outputAt finds what to write. A link of the user's own is followed. What another
// user put into a directory where all may write is refused: it would send the
// output elsewhere.
func outputAt(path string) (output, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return output{path: path}, nil
	}
	if err != nil {
		return output{}, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if isForeign(info) {
			return output{}, fmt.Errorf("%s is a symbolic link of another user: name another file, or remove it", path)
		}
		if path, err = filepath.EvalSymlinks(path); err == nil {
			info, err = os.Lstat(path)
		}
		if err != nil {
			return output{}, err
		}
	}
	if info.Mode().IsRegular() {
		return output{path: path, mode: info.Mode().Perm()}, nil
	}
	if isForeign(info) && isShared(filepath.Dir(path)) {
		return output{}, fmt.Errorf("%s is a pipe or device of another user: name another file, or remove it", path)
	}
	return output{path: path, special: true}, nil
}

// isShared says that everybody may put something into a directory.
func isShared(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode()&fs.ModeSticky != 0
}

// write lets fn write, and replaces a file when fn has succeeded: who reads it
// finds the old content or the new one.
func (o output) write(fn func(io.Writer) error, mode os.FileMode) (err error) {
	if o.special {
		file, err := nofollow.OpenFile(o.path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(fn(file), file.Close())
	}
	file, err := os.CreateTemp(filepath.Dir(o.path), "."+filepath.Base(o.path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := fn(file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), o.path)
}
