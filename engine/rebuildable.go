package engine

import (
	"context"
	"errors"

	"penstock/engine/channel"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/view"
	"penstock/engine/remedy"
)

// errEnough ends a replay.
var errEnough = errors.New("enough")

// checkRebuildable refuses a new directory for a run whose states are not in the channels alone. A stage with keys
// needs every frame from the first one, or the checkpoints that allowed its frames to be trimmed.
func (r *run) checkRebuildable(ctx context.Context, before datadir.RunOn) error {
	for _, id := range r.Plan.Instances() {
		ch, last, found, err := r.lastOf(ctx, id)
		if err != nil {
			return err
		}
		if !found || view.IsEnough(last.Frame, r.Plan.Stage(id.Stage).Keyed()) {
			continue
		}
		var first uint64
		err = ch.Replay(ctx, 1, func(rec channel.Record) error {
			first = rec.Frame.Commit
			return errEnough
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if first > 1 {
			return remedy.Errorf("%w: the state of stage %s is in %s: the channel has no frames before commit %d any more, so the new directory %s cannot rebuild it; use the data directory of the latest run, named with %v",
				ErrRefused, id.Stage, before.Directory(), first, r.Dir.Path, remedy.Dir)
		}
	}
	return nil
}
