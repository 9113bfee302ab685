package userfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"penstock/internal/nofollow"
)

// OpenFile is os.OpenFile for a file that is written in place. The error wraps
// ErrForeign where another user has put something, and ErrKind for what is no
// regular file. What is wrong with the path is found before anything is changed:
// the flag os.O_TRUNC is refused, so truncate the file that it returns.
func OpenFile(path string, flag int, perm os.FileMode) (*os.File, error) {
	if flag&os.O_TRUNC != 0 {
		return nil, errors.New("userfile: O_TRUNC would act before the file is checked")
	}
	if _, own := ownStream(path); own {
		return nil, fmt.Errorf("%s is %w", path, ErrKind)
	}
	place, err := resolveFile(path)
	if err != nil {
		return nil, err
	}
	// A pipe that takes the place of the file in this moment is not waited for.
	file, err := os.OpenFile(place.Path, flag|nofollow.Flag, perm)
	if err != nil {
		return nil, err
	}
	if err := sameFile(path, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// resolveFile is Resolve for a regular file, or one that is to be made.
func resolveFile(path string) (Place, error) {
	place, err := Resolve(path)
	switch {
	case err != nil || place.Info == nil:
	case isForeign(place.Info) && isShared(place.Path):
		err = fmt.Errorf("%s is a file %w in a directory where every user may write: name another file, or remove it", path, ErrForeign)
	case !place.Info.Mode().IsRegular():
		err = kindError(path, place.Info)
	}
	return place, err
}

func kindError(path string, info fs.FileInfo) error {
	return fmt.Errorf("%s is %s and %w: name a regular file", path, nofollow.Kind(info.Mode()), ErrKind)
}

// sameFile says that the path still leads to an open file: nothing was moved while
// it was opened.
func sameFile(path string, file *os.File) error {
	place, err := resolveFile(path)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && (place.Info == nil || !os.SameFile(info, place.Info)) {
		err = fmt.Errorf("%s was replaced while it was opened: try again, in a directory where only you may write", path)
	}
	return err
}

// Open opens a file that is read. What would have to be waited for is refused,
// but for /dev/stdin and other descriptors of the process.
func Open(path string) (*os.File, error) {
	if isDescriptor(path) {
		return os.Open(path)
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() && !isNull(info) {
		err = kindError(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// ReadFile is os.ReadFile with the rules of Open.
func ReadFile(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(file)
	return data, errors.Join(err, file.Close())
}
