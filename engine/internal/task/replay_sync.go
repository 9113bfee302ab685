package task

import (
	"context"

	"penstock/dlq"
)

// With a sync interval a cut of the power takes what the server has not synced, of
// each stream by itself. So a replay goes to the disk step by step: its request
// before a commit may have it in its position, else a later request with the same
// sequence would count as done; that commit, and all that it was made of, before
// the letter is deleted, since only what is there can be replayed again; and that
// before the request is, which is what deletes a letter that came back.

func (r *replays) keepRequest(ctx context.Context) error {
	run := r.task.Run
	return run.Server.SyncStreamFiles(ctx, dlq.ReplayStreamName(run.Plan.Name))
}

func (r *replays) keepCommits(ctx context.Context) error {
	if run := r.task.Run; run.Settings.IsLazy {
		return run.Server.SyncAllFiles(ctx)
	}
	return nil
}

func (r *replays) keepDeletion(ctx context.Context) error { return r.task.Run.syncLetters(ctx) }
