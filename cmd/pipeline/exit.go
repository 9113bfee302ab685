package main

import (
	"errors"
	"fmt"

	"penstock/engine/redact"
)

// The exit codes.
const (
	exitOK     = 0 // complete, or stopped in an orderly way
	exitFailed = 1
	exitUsage  = 2 // the command line must be changed
	exitBlind  = 3 // doctor and repair could not look
)

// usageError is a mistake in the command line.
type usageError struct {
	err  error
	help string // a command that says more, if any
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// exitError is an exit code whose reason was told already.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func exitWith(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code}
}

// exitCode says how the process ends after an error, or after none.
func exitCode(err error) int {
	var wrong *usageError
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &wrong):
		return exitUsage
	}
	return exitFailed
}

// end tells an error and returns the exit code.
func (a *app) end(err error) int {
	if err == nil {
		return exitOK
	}
	text := escape(redact.Text(err.Error()))
	var wrong *usageError
	var exit *exitError
	switch {
	case errors.As(err, &exit):
	case a.log != nil:
		a.log.Error("failed", "error", text)
	case errors.As(err, &wrong) && wrong.help != "":
		fmt.Fprintf(a.stderr, "pipeline: %s\nTry: %s\n", text, wrong.help)
	default:
		fmt.Fprintf(a.stderr, "pipeline: %s\n", text)
	}
	return exitCode(err)
}
