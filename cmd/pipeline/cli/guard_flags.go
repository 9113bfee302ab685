package cli

import (
	"log/slog"
	"math"
	"time"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine/supervise"
)

// guardFlags say whether a guard keeps the run alive, and for how long.
type guardFlags struct {
	Guard         bool           `group:"guard" help:"Run the pipeline in a child process, and start that again when it dies: by a signal, out of memory, by a fatal error or an exit in a stage. Signals are passed on, the exit code is the child's."`
	GuardRestarts flags.Count    `default:"20" placeholder:"N" group:"guard" help:"How often the guard starts the process again within --guard-window before it gives up. Default: 20."`
	GuardWindow   flags.Duration `default:"10m" placeholder:"TIME" group:"guard" help:"The time in which these restarts count. Default: 10m."`
}

func (f guardFlags) limit() supervise.Limit {
	return supervise.Limit{Restarts: int(min(f.GuardRestarts, math.MaxInt)), Window: time.Duration(f.GuardWindow)}
}

// applies says whether this process is to be the guard, and not the one that
// is guarded.
func (f guardFlags) applies(a *app) bool { return f.Guard && a.link == nil }

// guardLog writes what the guard tells like the log of the run.
func (f logFlags) guardLog(a *app) *slog.Logger {
	if _, _, terminal := a.terminal(); terminal {
		return f.logger(a.stderr, styleOf(a.getenv("NO_COLOR")))
	}
	return f.logger(a.stderr, plain)
}
