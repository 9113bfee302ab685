package nofollow

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrLink says that there is a symbolic link where a file belongs.
var ErrLink = errors.New("a symbolic link")

// ErrKind says that there is something else than a regular file where one belongs, such as a pipe or a directory.
var ErrKind = errors.New("not a regular file")

// OpenFile is os.OpenFile. It returns ErrLink where there is a link, and ErrKind where there is no regular file.
func OpenFile(path string, flag int, perm os.FileMode) (*os.File, error) {
	if err := Check(path); err != nil { // names it, also where the system has no flag for it
		return nil, err
	}
	file, err := os.OpenFile(path, flag|Flag, perm)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat() // it may have been replaced meanwhile
	if err == nil && !info.Mode().IsRegular() {
		err = kindError(path, info.Mode())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Open is os.Open with the rules of OpenFile.
func Open(path string) (*os.File, error) { return OpenFile(path, os.O_RDONLY, 0) }

// ReadFile is os.ReadFile with the rules of OpenFile.
func ReadFile(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(file)
	return data, errors.Join(err, file.Close())
}

// WriteFile is os.WriteFile with the rules of OpenFile.
func WriteFile(path string, data []byte, perm os.FileMode) error {
	file, err := OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// Create makes a file that was not there. What is in its place is removed first, a link itself and not what it leads
// to.
func Create(path string, perm os.FileMode) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// OpenDirectory opens a directory, to list or to sync it. Links on its path are followed.
func OpenDirectory(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|directoryFlag, 0)
}

// Check returns ErrLink where there is a link, and ErrKind where there is something else than a regular file. What is
// not there is no error.
func Check(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil // the open says it
	}
	return checkKind(path, info.Mode())
}

func checkKind(path string, mode fs.FileMode) error {
	switch {
	case mode.IsRegular():
		return nil
	case mode&fs.ModeSymlink != 0:
		return linkError(path)
	}
	return kindError(path, mode)
}

func linkError(path string) error {
	return fmt.Errorf("%s is %w, which is not allowed in a data directory: remove it, or replace it by its target", path, ErrLink)
}

func kindError(path string, mode fs.FileMode) error {
	return fmt.Errorf("%s is %s and %w, which is not allowed there in a data directory: remove it, or put back the file that belongs there", path, Kind(mode), ErrKind)
}

// ErrNotDirectory says that a file stands in the place of a directory.
var ErrNotDirectory = errors.New("not a directory")

func notDirectory(path string) error {
	return fmt.Errorf("%s is a file and %w, where a data directory has one: name another data directory, or move the file away", path, ErrNotDirectory)
}

// Kind says what is in the place of a regular file, with its article.
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
