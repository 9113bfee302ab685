package runcmd

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"runtime"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/guard"
	"penstock/engine/supervise"
)

// GuardFlags say whether a guard keeps the run alive, and for how long.
type GuardFlags struct {
	Guard         bool           `group:"guard" help:"Run the pipeline in a child process, and start it again when it dies: by a signal, out of memory, by a fatal error, or by an exit in a stage. Signals are passed on; the exit code is that of the child."`
	GuardRestarts flags.Count    `default:"20" placeholder:"N" group:"guard" help:"How often the guard starts the process again within --guard-window before it gives up. Default: 20."`
	GuardWindow   flags.Duration `default:"10m" placeholder:"TIME" group:"guard" help:"The time within which restarts count. Default: 10m."`
}

// serve guards until the end, and returns it.
func (f GuardFlags) serve(a *app.Invocation) error {
	return EndOfGuard(guard.Serve(guard.Config{Limit: f.Limit(), Signals: a.Signals, Log: a.Log, Command: func() (*exec.Cmd, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the program: %w", err)
		}
		cmd := exec.Command(self, a.Args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		return cmd, nil
	}}))
}

// EndOfGuard is the end of a guard in the codes and words of the command.
func EndOfGuard(err error) error {
	if errors.Is(err, guard.ErrUnsupported) {
		return flags.Usage("--guard does not work on %s: leave it out, and let a service manager restart the command", runtime.GOOS)
	}
	if exit := (*guard.Exit)(nil); errors.As(err, &exit) {
		return app.ExitWith(exit.Code)
	}
	return err
}

// Limit is how many restarts the guard allows.
func (f GuardFlags) Limit() supervise.Limit {
	return supervise.Limit{Restarts: int(min(f.GuardRestarts, math.MaxInt)), Window: time.Duration(f.GuardWindow)}
}

// applies says whether this process is to be the guard, and not the one that
// is guarded.
func (f GuardFlags) applies(a *app.Invocation) bool { return f.Guard && a.Pipe == nil }

// guardLog writes what the guard tells like the log of the run.
func guardLog(f app.LogFlags, a *app.Invocation) *slog.Logger {
	if _, _, terminal := a.Terminal(); terminal {
		return f.Logger(a.Stderr, app.StyleOf(a.Getenv("NO_COLOR")))
	}
	return f.Logger(a.Stderr, app.Plain)
}
