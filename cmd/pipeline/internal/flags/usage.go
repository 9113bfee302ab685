package flags

import "fmt"

// UsageError is a mistake in the command line.
type UsageError struct {
	Err  error
	Help string // a command that says more, if any
}

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *UsageError) Unwrap() error { return e.Err }

// Usage makes a UsageError.
func Usage(format string, args ...any) error {
	return &UsageError{Err: fmt.Errorf(format, args...)}
}
