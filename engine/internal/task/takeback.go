package task

import (
	"context"

	"penstock/engine/channel"
	"penstock/engine/frame"
)

// TakeBack drops the newest commits of a stage that took what its producers'
// channels do not have any more: a cut of the power may take more of one channel
// than of another, where the embedded server syncs at an interval. Afterwards
// all stages stand at one state of affairs again, and go on from there. The
// stage's producers must be open.
//
// The checkpoint is never taken back: all channels are synced before it. Where
// that is not so something else has happened, and the start is refused.
func (in *Instance) TakeBack(ctx context.Context) error {
	last, found, err := in.Channel.Last(ctx)
	if err != nil || !found || in.fits(last.Frame) {
		return err
	}
	saved, _, err := in.Committed.Store.Load()
	if err != nil {
		return err
	}
	var keep channel.Record
	err = in.Channel.Replay(ctx, 1, func(r channel.Record) error {
		if in.fits(r.Frame) { // and so do all before it
			keep = r
		}
		return nil
	})
	if err != nil || keep.Frame == nil || keep.Frame.Commit < saved.Commit {
		return err
	}
	in.Log.Warn("a power cut lost messages, since the server syncs at an interval; rolled back the commits that had consumed them, and resuming from there",
		"commits", last.Frame.Commit-keep.Frame.Commit, "back_to", keep.Frame.Commit)
	if err := in.Channel.Cut(ctx, keep.Sequence); err != nil {
		return err
	}
	return in.Run.Server.SyncFiles(ctx) // before the stage is fenced: nothing may come back
}

// fits says whether the producers' channels have all that a commit took.
func (in *Instance) fits(f *frame.Frame) bool {
	for p := range f.Inputs {
		position := &f.Inputs[p]
		for k := range in.Edges {
			if in.Edges[k].IsOf(position) && position.End() > in.WrittenTo(k) {
				return false
			}
		}
	}
	return true
}
