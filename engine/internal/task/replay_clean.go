package task

import (
	"context"

	"penstock/engine/faultpoint"
)

// cleanReplays deletes what is left of replays that are committed; what it
// cannot the next run does.
func (in *Instance) cleanReplays(ctx context.Context) {
	s := in.Task.Load()
	if s == nil || s.Inbox.Replays == nil || s.Inbox.Replays.input.taken.Load() == 0 {
		return
	}
	if err := s.Inbox.Replays.clean(ctx, s.Inbox.Replays.input.taken.Load()); err != nil {
		in.Log.Warn("cannot delete dead letters that were replayed; the next run deletes them", "error", err)
	}
}

// clean deletes the letters and requests below a sequence: their effect is
// committed. A crash in between is made up for by the next task.
func (r *replays) clean(ctx context.Context, below uint64) error {
	letters, id := r.task.Run.Letters, r.task.ID
	kept := false
	for from := uint64(0); from < below; {
		request, found, err := letters.NextReplay(ctx, id.Stage, id.Number, from)
		if err != nil || !found || request.Sequence >= below {
			return err
		}
		if !kept {
			if err := r.keepCommits(ctx); err != nil {
				return err
			}
			kept = true
		}
		faultpoint.Hit(faultpoint.MidReplay, id.Stage)
		if err := letters.Discard(ctx, request.Letter); err != nil {
			return err
		}
		if err := r.keepDeletion(ctx); err != nil {
			return err
		}
		faultpoint.Hit(faultpoint.MidSettle, id.Stage)
		if err := letters.Withdraw(ctx, request); err != nil {
			return err
		}
		from = request.Sequence + 1
	}
	return nil
}
