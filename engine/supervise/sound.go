package supervise

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

const (
	maxWrapped  = 1 << 16 // errors that one may wrap, in all: one that wraps itself has no end
	maxReported = 256     // bytes of the text of an error that is named in the text of another
)

// Sound returns err if everything can be done with it that is done with errors: it and the errors that it wraps answer
// Error, Unwrap, Is and As. Otherwise Sound returns an error that says which method of which type panicked, and how:
// often the error is a nil pointer. Sound(nil) is nil.
func Sound(err error) error {
	if broken := check(err); broken != nil {
		return broken
	}
	return err
}

// OrPanic is [Sound] for what a function returned: an error that panics is a panic of the function, and becomes a
// *PanicError. [Call] and [Contain] do this; it is for who calls a function without them.
func OrPanic(err error) error {
	if broken := check(err); broken != nil {
		return &PanicError{Value: broken, Stack: broken.stack}
	}
	return err
}

// Is is errors.Is for a target that may be any error, such as the cause of a context. A target that cannot be compared
// is not found, where errors.Is would panic.
func Is(err, target error) bool {
	return target != nil && reflect.ValueOf(target).Comparable() && errors.Is(err, target)
}

// panicked makes an error of what was given to panic. It runs in the deferred function.
func panicked(value any) error {
	if err, ok := value.(error); ok {
		value = Sound(err)
	}
	return &PanicError{Value: value, Stack: panicStack()}
}

// brokenError stands for an error that cannot be used.
type brokenError struct {
	text  string
	stack []byte // of the panic, if there was one
}

func (e *brokenError) Error() string { return e.text }

// check asks an error, and those that it wraps, for everything that an error can be asked for. It returns nil if all
// of them answer.
func check(err error) *brokenError {
	c := checker{left: maxWrapped}
	if c.answers(err) {
		return nil
	}
	return &brokenError{c.broken, c.stack}
}

// checker looks for an error that does not answer.
type checker struct {
	left   int    // errors that may still come
	outer  string // what is known of the outermost one
	text   string // of the one at hand
	broken string
	stack  []byte
}

// answers is false when this error, or one that it wraps, does not.
func (c *checker) answers(err error) bool {
	if err == nil {
		return true
	}
	if c.left--; c.left < 0 {
		c.broken = c.outer + fmt.Sprintf("it wraps more than %d errors, or itself", maxWrapped)
		return false
	}
	c.text = ""
	if !c.call(err, "Error", func() { c.text = err.Error() }) {
		return false
	}
	var inner []error
	if !c.compares(err) || !c.unwraps(err, &inner) {
		return false
	}
	if c.outer == "" && len(inner) > 0 {
		c.outer = c.name(err) + ": "
	}
	for _, err := range inner {
		if !c.answers(err) {
			return false
		}
	}
	return true
}

// compares is false when the error cannot be looked for another one.
func (c *checker) compares(err error) bool {
	if e, ok := err.(interface{ Is(error) bool }); ok && !c.call(err, "Is", func() { e.Is(&brokenError{}) }) {
		return false
	}
	e, ok := err.(interface{ As(any) bool })
	return !ok || c.call(err, "As", func() { e.As(new(*brokenError)) })
}

func (c *checker) unwraps(err error, inner *[]error) bool {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return c.call(err, "Unwrap", func() { *inner = []error{e.Unwrap()} })
	case interface{ Unwrap() []error }:
		return c.call(err, "Unwrap", func() { *inner = e.Unwrap() })
	}
	return true
}

// call is false when the method panics.
func (c *checker) call(err error, method string, fn func()) (returned bool) {
	defer func() {
		value := recover()
		if value == nil && !returned { // nil was given to panic
			value = new(runtime.PanicNilError)
		}
		if value != nil {
			c.broken = fmt.Sprintf("%s%s: its %s method panicked: %s", c.outer, c.name(err), method, short(fmt.Sprint(value)))
			c.stack = panicStack()
		}
	}()
	fn()
	returned = true
	return true
}

func (c *checker) name(err error) string {
	if c.text == "" {
		return fmt.Sprintf("error %T", err)
	}
	return fmt.Sprintf("error %T (%s)", err, short(c.text))
}

func short(text string) string {
	if len(text) <= maxReported {
		return text
	}
	return strings.ToValidUTF8(text[:maxReported], "") + "…"
}
