package engine

import (
	"context"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
)

// OnUnfit says what a source does with a value that it emits and that cannot be
// sent, because it is larger than a message of the server may be or because its
// codec refuses it:
//
//   - DeadLetter: what is known of it is kept in the dead letters, with the first
//     64 KiB of a value that is too large, and the source goes on;
//   - DropMessage: it is dropped and counted, and the source goes on;
//   - StopStage: the source is given up, and tries it again in the next run;
//   - EscalateStage: its group fails.
//
// Without this option the pipeline stops with an error that names stage, stream,
// size and limit. Whatever is chosen, a source function may learn of such a value
// by Emit.Try and do otherwise. In stages with inputs it is the message that
// fails, see AtLimit.
func OnUnfit(l Limit) Option {
	return func(o *plan.Options) { o.Unfit = &l }
}

// CountDropped is for a source's function that leaves out n things on purpose:
// they are counted, once the call ends well, in StageStatus.Dropped and so in
// reports and metrics. It is for the goroutine of the call. Elsewhere it does
// nothing. See Reject for what is to become a dead letter.
func CountDropped(ctx context.Context, n uint64) {
	if in := task.TaskOf(ctx); in != nil {
		in.CountDropped(n)
	}
}
