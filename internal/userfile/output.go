package userfile

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Output is a file that is replaced as a whole.
type Output struct {
	path   string      // as the user named it
	place  Place       // where that is
	stream bool        // of the process: it is written to, and not replaced
	file   *os.File    // the open stream, or nil
	mode   os.FileMode // of the file that is there, or 0
}

// Check finds out whether a file may be written, and changes nothing. Its errors
// are those of OpenFile.
func Check(path string) (Output, error) {
	if file, own := ownStream(path); own {
		return Output{path: path, stream: true, file: file}, nil
	}
	place, err := resolveFile(path)
	if err != nil {
		return Output{}, err
	}
	o := Output{path: path, place: place}
	if place.Info != nil {
		o.mode = place.Info.Mode().Perm()
	}
	return o, nil
}

// Write lets fn write, and replaces the file when fn has succeeded: its readers
// find the old content or the new one. A file that is there keeps its mode.
func Write(path string, mode os.FileMode, fn func(io.Writer) error) error {
	o, err := Check(path)
	if err != nil {
		return err
	}
	if o.stream {
		return o.writeStream(fn)
	}
	return o.replace(cmp.Or(o.mode, mode), fn)
}

// WritePrivate is Write for what only the user may read, whatever the mode of the
// file that is there.
func WritePrivate(path string, fn func(io.Writer) error) error {
	o, err := Check(path)
	if err != nil {
		return err
	}
	if o.stream {
		return o.writeStream(fn)
	}
	return o.replace(0o600, fn)
}

func (o Output) writeStream(fn func(io.Writer) error) error {
	if o.file != nil {
		return fn(o.file)
	}
	file, err := os.OpenFile(o.path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(fn(file), file.Close())
}

func (o Output) replace(mode os.FileMode, fn func(io.Writer) error) (err error) {
	dir := filepath.Dir(o.place.Path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(o.place.Path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := sameFile(file.Name(), file); err != nil { // a link may have come on the way
		return errors.Join(err, file.Close())
	}
	if err := fn(file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), o.place.Path)
}
