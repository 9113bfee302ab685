package engine

import (
	"context"
	"log/slog"

	"penstock/engine/internal/task"
)

// Info tells a stage function about the stage it is called in.
type Info struct {
	Pipeline string
	Stage    string
	// Run names the run for good: it stays the same when the run is interrupted and goes on, also in another process or
	// directory, and is another one when the pipeline starts from the beginning, where offsets and epochs begin anew.
	Run   string
	Epoch uint64 // grows with each owner of the stage
	// Partition is that of this instance, from 0, of Partitions in all; 0 and 1 for a stage without the option Partitions.
	Partition, Partitions int

	Start   uint64 // which start of the stage this is, across processes: 1, 2, 3 …
	Commits uint64 // frames the stage has committed
	In      uint64 // messages it has taken
	Out     uint64 // messages it has emitted
	Attempt int    // of the call at hand: 1, and one more for each failure
	Replay  uint64 // of the call at hand: 0, or as in Message
}

// InfoOf returns what there is to know in a call of a stage function or hook.
// Outside one it returns the zero value.
func InfoOf(ctx context.Context) Info {
	in := task.TaskOf(ctx)
	if in == nil {
		return Info{}
	}
	control, _ := in.Committed.Last()
	info := Info{
		Pipeline:  in.Definition.Pipeline.Name,
		Stage:     in.Definition.Name,
		Run:       in.Run.Identity,
		Epoch:     in.Ownership.Epoch,
		Partition: in.Definition.Layout().Partition(in.ID.Number), Partitions: in.Definition.Width(),
		Start:   in.Observed.Stats.Read().Starts,
		Commits: control.Commit,
		Attempt: task.CallOf(ctx, in).Attempt,
	}
	info.Replay = task.CallOf(ctx, in).Replay()
	info.In, info.Out = in.TakenOf(&control), in.Progress.Before.Out
	for i := range control.Sections {
		info.Out += control.Sections[i].Next()
	}
	return info
}

// Attempt returns which try of the call at hand this is: 1, and one more for
// each time it failed, also across restarts of the process. Messages carry the
// same number; this is for sources, timers and hooks.
func Attempt(ctx context.Context) int {
	if in := task.TaskOf(ctx); in != nil {
		return task.CallOf(ctx, in).Attempt
	}
	return 1
}

// Logger returns the pipeline's logger with the stage's name.
func Logger(ctx context.Context) *slog.Logger {
	if in := task.TaskOf(ctx); in != nil {
		return in.Log
	}
	return slog.Default()
}

// CurrentKey returns the key of the state at hand in a keyed stage, else "".
func CurrentKey(ctx context.Context) string {
	if in := task.TaskOf(ctx); in != nil {
		return task.CallOf(ctx, in).Key
	}
	return ""
}

// ForgetKey deletes the state of the key at hand once the call is committed.
// The next message of the key finds a zero state.
func ForgetKey(ctx context.Context) {
	if in := task.TaskOf(ctx); in != nil {
		if k, ok := in.Processor.Keeper().(interface{ Forget() }); ok {
			k.Forget()
		}
	}
}
