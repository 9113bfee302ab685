package supervise

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// ErrGoexit is the Value of a PanicError when the function did not panic but ended its goroutine by runtime.Goexit, as
// a failed assertion of a test does.
var ErrGoexit = errors.New("the goroutine was ended by runtime.Goexit")

// PanicError is a panic as an error.
type PanicError struct {
	Value any    // what was given to panic; for an error that panics itself, one that says so: see Sound
	Stack []byte // one function and its place a line pair, from the one that panicked outwards; at most 16 KiB
}

// Error returns what was given to panic, without the stack.
func (e *PanicError) Error() string {
	if e.Value == ErrGoexit {
		return ErrGoexit.Error()
	}
	return fmt.Sprintf("panic: %v", e.Value)
}

// Unwrap returns Value if it is an error, and nil otherwise.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Call runs fn and returns its error. If fn panics, with nil too, or ends its goroutine, Call returns a *PanicError.
// An error that panics when it is used counts as a panic, see [Sound].
// What fn starts in goroutines of its own is out of reach: a panic there ends the process.
//
// fn runs in a goroutine of its own, which is the only way to survive runtime.Goexit. That costs about a microsecond,
// so a call should be worth it: a batch of messages, not one of them.
func Call(fn func() error) error {
	done := make(chan error, 1)
	launch(fn, func(err error) { done <- err })
	return <-done
}

// launch is Call without waiting: done gets the error, in the goroutine of fn, whose last act it is.
func launch(fn func() error, done func(error)) {
	go func() {
		returned := false
		var err error
		defer func() {
			if !returned {
				err = &PanicError{Value: ErrGoexit, Stack: panicStack()}
			}
			done(err)
		}()
		err = Contain(fn)
		returned = true
	}()
}

// Contain is Call in the caller's goroutine, for what is called too often to give it one of its own. The price is that
// runtime.Goexit ends the caller too; a deferred function can notice that.
func Contain(fn func() error) (err error) {
	returned := false
	defer recovered(&returned, &err)
	err = fn()
	returned = true
	if err == nil { // as most do
		return nil
	}
	return OrPanic(err)
}

// Catch is Contain for what returns sound errors: see [Sound]. It does not look at them once more.
func Catch(fn func() error) (err error) {
	returned := false
	defer recovered(&returned, &err)
	err = fn()
	returned = true
	return err
}

// recovered makes an error of a panic. It must be deferred itself: recover works nowhere else.
func recovered(returned *bool, err *error) {
	value := recover()
	switch {
	case value != nil:
		*err = panicked(value)
	case !*returned: // nil was given to panic; see the setting panicnil of GODEBUG
		*err = panicked(new(runtime.PanicNilError))
	}
}

const (
	maxStack  = 16 << 10
	maxFrames = 256
)

// panicStack describes the stack of a deferred function that runs because of a panic, without the machinery on top of
// the function that panicked.
func panicStack() []byte {
	pcs := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var stack []byte
	for panicking := false; ; {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic" || f.Function == "runtime.Goexit":
			panicking = true
		case !panicking || len(stack) == 0 && inRuntime(f.Function):
		default:
			n := len(stack)
			stack = fmt.Appendf(stack, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
			if len(stack) > maxStack {
				return stack[:n]
			}
		}
		if !more {
			return stack
		}
	}
}

func inRuntime(function string) bool {
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "internal/runtime/")
}
