package disk

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"penstock/internal/nofollow"
)

// ErrUnreadable is a panic of Badger, or a page of a mapped file that cannot be read.
// Both are what a damaged file leads to.
var ErrUnreadable = errors.New("the files cannot be read")

// Guard turns such a panic into an error.
func Guard(fn func() error) error {
	var never bool
	return GuardUnless(&never, fn)
}

// GuardUnless lets a panic pass while *foreign is set: it is not Badger's then.
func GuardUnless(foreign *bool, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	returned := false
	defer func() {
		if *foreign {
			return
		}
		switch r := recover().(type) {
		case nil:
			if !returned { // nil was given to panic
				err = fmt.Errorf("%w: %w", ErrUnreadable, new(runtime.PanicNilError))
			}
		case error:
			err = fmt.Errorf("%w: %w", ErrUnreadable, r)
		default:
			err = fmt.Errorf("%w: %v", ErrUnreadable, r)
		}
	}()
	err = fn()
	returned = true
	return err
}

// IsFault reports whether an error is that a page of a mapped file could not be read.
func IsFault(err error) bool {
	var fault interface {
		runtime.Error
		Addr() uintptr
	}
	return errors.As(err, &fault)
}

// ReadAll reads the files of a directory. A mapping only faults where a file cannot be read; this says why.
func ReadAll(dir string) error {
	names, err := nofollow.Glob(dir, "*")
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := readFile(name); err != nil {
			return err
		}
	}
	return nil
}

func readFile(name string) error {
	f, err := nofollow.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}
