package task

import (
	"context"
	"errors"

	"penstock/engine/channel"
	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/register"
	"penstock/engine/internal/rule"
	"penstock/engine/internal/view"
)

var (
	_ checkpointer.Instance = (*Instance)(nil)
	_ checkpointer.Pipeline = (*Run)(nil)
)

// View is what the instance has committed.
func (in *Instance) View() *view.View { return in.Committed }

// RestoreSettings puts the settings of the channel right. That its stream is gone is
// found out, and told, by who needs it next.
func (in *Instance) RestoreSettings(ctx context.Context) {
	if _, err := in.Channel.Restore(ctx); err != nil && ctx.Err() == nil {
		in.Log.Warn("cannot check the settings of the channel", "error", err)
	}
}

// Trim drops the frames of the instance that neither its own recovery nor any
// reader can need again. Only the checkpointer calls it.
func (in *Instance) Trim(ctx context.Context) error {
	own, _ := in.Committed.Covered()
	last := in.Progress.Last.Load() // before anything is asked of what is in the frames up to it
	before := min(own, last)
	if rule.TrimBound {
		for _, r := range in.readers {
			if r.hasEnded() && r.endIsKept() { // else a cut of the power may take its end
				continue
			}
			before = min(before, r.needs(r.edge, last))
		}
	} else {
		before = last
	}
	if before <= in.Progress.trimmed {
		return nil
	}
	if err := in.refreshEntry(ctx, before); err != nil {
		return err
	}
	switch err := in.Channel.Trim(ctx, before); {
	case errors.Is(err, channel.ErrMayNot):
		return nil
	case err != nil:
		return err
	}
	in.Progress.trimmed = before
	info, err := in.Channel.Info(ctx)
	if err != nil {
		return err
	}
	in.Progress.stored.Store(int64(info.Bytes))
	in.poke()
	return nil
}

// refreshEntry enters the instance's owner in the register once more if its entry
// would hold the trim back. If another one owns the instance by now, the entry stays
// where it is.
func (in *Instance) refreshEntry(ctx context.Context, before uint64) error {
	t := in.Task.Load()
	if t == nil || t.Ownership.taken.Claim >= before {
		return nil
	}
	err := register.Refresh(ctx, in.Channel, in.Run.Clock, t.Ownership.Owner, before)
	if lost := (*register.LostError)(nil); errors.As(err, &lost) {
		return nil
	}
	return err
}
