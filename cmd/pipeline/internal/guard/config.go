package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"

	"penstock/engine/supervise"
)

// ErrUnsupported says that there are no guards on this system.
var ErrUnsupported = errors.New("this system does not support --guard")

// Config says what is guarded. All fields but Backoff are required.
type Config struct {
	// Command makes the next child process, which has a [Link].
	Command func() (*exec.Cmd, error)
	// Limit is how often a child process is started again before the guard gives up.
	Limit supervise.Limit
	// Backoff is the delay before that; its zero value is the default of package
	// supervise.
	Backoff supervise.Backoff
	// Signals are passed on to the child process.
	Signals <-chan os.Signal
	// Log gets what happens.
	Log *slog.Logger
}

// Exit is an exit code of the child process other than 0.
type Exit struct{ Code int }

func (e *Exit) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

func exitOf(code int) error {
	if code == 0 {
		return nil
	}
	return &Exit{code}
}
