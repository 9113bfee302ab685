package engine

import (
	"context"
	"log/slog"
)

// Info tells a stage function about the stage it is called in.
type Info struct {
	Pipeline string
	Stage    string
	Epoch    uint64 // grows with each owner of the stage
	Start    uint64 // which start of the stage this is, across processes: 1, 2, 3 …
	Commits  uint64 // frames the stage has committed
	In       uint64 // messages it has taken
	Out      uint64 // messages it has emitted
	Attempt  int    // of the call at hand: 1, and one more for each failure
}

// InfoOf returns what there is to know in a call of a stage function or hook.
// Outside one it returns the zero value.
func InfoOf(ctx context.Context) Info {
	in := taskOf(ctx)
	if in == nil {
		return Info{}
	}
	control, _ := in.committed.Last()
	info := Info{
		Pipeline: in.definition.Pipeline.Name,
		Stage:    in.definition.Name,
		Epoch:    in.ownership.epoch,
		Start:    in.observed.stats.read().Starts,
		Commits:  control.Commit,
		Attempt:  callOf(ctx, in).attempt,
	}
	info.In = in.takenOf(&control)
	for i := range control.Sections {
		info.Out += control.Sections[i].Next()
	}
	return info
}

// Attempt returns which try of the call at hand this is: 1, and one more for
// each time it failed, also across restarts of the process. Messages carry the
// same number; this is for sources, timers and hooks.
func Attempt(ctx context.Context) int {
	if in := taskOf(ctx); in != nil {
		return callOf(ctx, in).attempt
	}
	return 1
}

// Logger returns the pipeline's logger with the stage's name.
func Logger(ctx context.Context) *slog.Logger {
	if in := taskOf(ctx); in != nil {
		return in.log
	}
	return slog.Default()
}

// CurrentKey returns the key of the state at hand in a keyed stage, else "".
func CurrentKey(ctx context.Context) string {
	if in := taskOf(ctx); in != nil {
		return callOf(ctx, in).key
	}
	return ""
}

// ForgetKey deletes the state of the key at hand once the call is committed.
// The next message of the key finds a zero state.
func ForgetKey(ctx context.Context) {
	if in := taskOf(ctx); in != nil {
		if k, ok := in.processor.keeper().(interface{ Forget() }); ok {
			k.Forget()
		}
	}
}
