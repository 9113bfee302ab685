package cli

import (
	"errors"
	"fmt"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/render"
	"penstock/engine/redact"
)

// The exit codes.
const (
	exitOK     = 0 // complete, or stopped in an orderly way
	exitFailed = 1
	exitUsage  = 2 // the command line must be changed
	exitBlind  = 3 // doctor and repair could not look
)

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
	var wrong *flags.UsageError
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
	text := render.Escape(redact.Text(a.hints.explain(err)))
	var wrong *flags.UsageError
	var exit *exitError
	switch {
	case errors.As(err, &exit):
	case a.log != nil:
		a.log.Error("failed", "error", text)
	case errors.As(err, &wrong) && wrong.Help != "":
		fmt.Fprintf(a.stderr, "%s: %s\nTry: %s\n", a.name(), text, wrong.Help)
	default:
		fmt.Fprintf(a.stderr, "%s: %s\n", a.name(), text)
	}
	return exitCode(err)
}
