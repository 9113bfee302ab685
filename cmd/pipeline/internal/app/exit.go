package app

import (
	"errors"
	"fmt"
	"strings"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/render"
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/redact"
)

// The exit codes.
const (
	ExitOK     = 0 // complete, or stopped in an orderly way
	ExitFailed = 1
	ExitUsage  = 2 // the command line must be changed
	ExitBlind  = 3 // what the command line names could not be looked at
)

// blindError says why something could not be looked at.
type blindError struct{ error }

// Unwrap gives the reason.
func (e *blindError) Unwrap() error { return e.error }

// CouldNotLook gives an error the exit code ExitBlind, unless the command line was wrong; nil stays nil. It is for all
// verbs that look into a pipeline: its directory or its server was not found, not reached, or not the right one.
func CouldNotLook(err error) error {
	if err == nil {
		return nil
	}
	return &blindError{err}
}

// exitError is an exit code whose reason was told already.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// ExitWith is the error of an exit code whose reason was told already; nil for ExitOK.
func ExitWith(code int) error {
	if code == ExitOK {
		return nil
	}
	return &exitError{code}
}

// ExitCode says how the process ends after an error, or after none.
func ExitCode(err error) int {
	var wrong *flags.UsageError
	var exit *exitError
	var blind *blindError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &wrong), errors.Is(err, engine.ErrOtherArguments):
		return ExitUsage
	case isReaderGone(err):
		return ExitReader
	case errors.As(err, &blind), errors.Is(err, broker.ErrNoServer):
		return ExitBlind
	}
	return ExitFailed
}

// End tells an error and returns the exit code.
func (a *Invocation) End(err error) int {
	if err == nil {
		return ExitOK
	}
	text := render.Escape(strings.ReplaceAll(redact.Text(a.Hints.Explain(err)), "\n", "; ")) // joined errors are one line
	var wrong *flags.UsageError
	var exit *exitError
	switch {
	case errors.As(err, &exit), isReaderGone(err):
	case a.Log != nil:
		a.Log.Error("failed", "error", text)
	case errors.As(err, &wrong) && wrong.Help != "":
		fmt.Fprintf(a.Stderr, "%s: %s\nTry: %s\n", a.Name(), text, wrong.Help)
	default:
		fmt.Fprintf(a.Stderr, "%s: %s\n", a.Name(), text)
	}
	return ExitCode(err)
}
