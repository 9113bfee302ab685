package disk

import (
	"errors"
	"fmt"
	"runtime/debug"
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
	defer func() {
		if *foreign {
			return
		}
		switch r := recover().(type) {
		case nil:
		case error:
			err = fmt.Errorf("%w: %w", ErrUnreadable, r)
		default:
			err = fmt.Errorf("%w: %v", ErrUnreadable, r)
		}
	}()
	return fn()
}
