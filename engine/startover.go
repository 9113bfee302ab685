package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/internal/datadir"
	"penstock/engine/remedy"
	"penstock/internal/counted"
)

// startOver deletes what there is of a run that is complete, or that is not
// wanted any more. A deletion that was interrupted is finished first of all:
// half a run must not be taken for one that can be resumed.
//
// A run is over when a person was told. If its process died between the last
// commit and that, the next start wants this run and not another one:
// it is opened as it is, and says that it is complete.
func (r *run) startOver(ctx context.Context) error {
	fresh, err := r.Dir.IsStartingOver(r.Plan.Name)
	if err != nil {
		return err
	}
	fresh = fresh || r.config.Fresh
	if !fresh {
		if fresh, err = r.isComplete(ctx); err != nil || !fresh {
			return err
		}
		if err := r.checkOwner(ctx); err != nil {
			return err
		}
		if r.reopened, err = r.replaysWait(ctx); err != nil || r.reopened {
			return err
		}
		last, err := r.LastCalls()
		if err != nil {
			return err
		}
		if !last.Clean {
			r.reopened = true
			r.Log.Info("the last run was already complete when its process died; the next run starts from the beginning")
			return nil
		}
		if err := r.mayDiscardLetters(ctx); err != nil {
			return err
		}
		r.Log.Info("the last run is complete; starting from the beginning")
	}
	if err := r.tellDiscardedLetters(ctx); err != nil {
		return err
	}
	if err := r.Dir.BeginStartingOver(r.Plan.Name); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(r.Dir.Checkpoints()), os.RemoveAll(r.Dir.Inflight())); err != nil {
		return fmt.Errorf("delete the checkpoints: %w", err)
	}
	if err := channel.DeleteAll(ctx, r.broker, r.Plan.Name); err != nil {
		return fmt.Errorf("delete the channels: %w", err)
	}
	return r.Dir.EndStartingOver()
}

// ErrLettersLeft says that the last run left dead letters, which a new one would
// delete.
var ErrLettersLeft = errors.New("the last run left dead letters")

// mayDiscardLetters refuses to delete dead letters that were not handled.
func (r *run) mayDiscardLetters(ctx context.Context) error {
	n, err := r.lettersLeft(ctx)
	if err != nil || n == 0 || r.config.DiscardLetters {
		return err
	}
	canReplay, err := r.canReplay(ctx)
	if err != nil {
		return err
	}
	left := counted.Things(n, "dead letter")
	if !canReplay {
		return remedy.Errorf("%w: pipeline %s is complete, and its next run would delete %s. No stage can take what is in there again: a source could not send it. "+
			"To start: delete with %v, or run with %v. To keep a copy before that: %v",
			ErrLettersLeft, r.Plan.Name, left, remedy.DiscardLetter, remedy.DiscardLetters, remedy.ExportLetters)
	}
	return remedy.Errorf("%w: pipeline %s is complete, and its next run would delete %s. To replay what a stage can handle: %v, then run it again. "+
		"To start without: delete with %v, or run with %v. To keep a copy before that: %v",
		ErrLettersLeft, r.Plan.Name, left, remedy.ReplayLetters, remedy.DiscardLetter, remedy.DiscardLetters, remedy.ExportLetters)
}

// canReplay says whether a stage takes at least one of the letters again.
func (r *run) canReplay(ctx context.Context) (bool, error) {
	letters, found, err := dlq.Lookup(ctx, r.broker.JetStream(), r.Plan.Name)
	if err != nil || !found {
		return false, err
	}
	enough := errors.New("one is enough")
	err = letters.Select(ctx, dlq.Filter{WithoutValues: true, Unreadable: true}, func(l dlq.Letter) error {
		if l.CanReplay() {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		return true, nil
	}
	return false, err
}

// tellDiscardedLetters says what goes before it goes.
func (r *run) tellDiscardedLetters(ctx context.Context) error {
	n, err := r.lettersLeft(ctx)
	if err == nil && n > 0 {
		r.Log.Warn("deleted the dead letters of the last run", "count", n)
	}
	return err
}

// lettersLeft counts the dead letters of the last run.
func (r *run) lettersLeft(ctx context.Context) (uint64, error) {
	letters, found, err := dlq.Lookup(ctx, r.broker.JetStream(), r.Plan.Name)
	if err != nil || !found {
		return 0, err
	}
	return letters.Count(ctx)
}

// checkOwner refuses a complete run that another data directory made: this one
// was pointed at the wrong server, and would delete what is there.
func (r *run) checkOwner(ctx context.Context) error {
	id, found, err := r.identityBefore()
	switch {
	case err != nil && r.Dir.IsMoved(r.config.NATS.URL):
		return err
	case err != nil || !found: // damaged, or new: what there is of it goes as well
		return nil
	}
	return r.checkChannels(ctx, id)
}

// checkChannels refuses a server that has a run of this name which another data
// directory made. It comes before a channel is opened: what would mend a missing
// one deletes that run.
func (r *run) checkChannels(ctx context.Context, id datadir.Identity) error {
	runs, err := datadir.RunsOn(ctx, r.broker, r.Plan.Name, r.Plan.StageNames())
	if err != nil {
		return err
	}
	if other, found := datadir.OtherThan(id.ID, runs); found {
		return r.elsewhere(id, other)
	}
	return nil
}

// checkUndescribed is Directory.CheckPipeline for a directory that only its store,
// or else its channels, can tell the pipeline of: an old one, or one without its
// description.
func (r *run) checkUndescribed() error {
	if r.Dir.About.Pipeline != "" {
		return nil
	}
	id, found, err := r.identityBefore()
	if err != nil && !errors.Is(err, checkpoint.ErrCorrupt) {
		return err
	}
	if found {
		return r.Dir.CheckOwner(id.Pipeline, r.Plan.Name)
	}
	owners, err := r.Dir.Owners()
	if err != nil || len(owners) == 0 || slices.Contains(owners, r.Plan.Name) {
		return err
	}
	return r.Dir.CheckOwner(owners[0], r.Plan.Name)
}

// identityBefore reads what the directory is before its store is opened for the
// run.
func (r *run) identityBefore() (id datadir.Identity, found bool, err error) {
	if !datadir.Exists(r.Dir.Checkpoints()) {
		return datadir.Identity{}, false, nil
	}
	store, err := checkpoint.Open(checkpoint.Config{Dir: r.Dir.Checkpoints(), Logger: r.Log})
	if err != nil {
		return datadir.Identity{}, false, err
	}
	id, found, err = datadir.ReadIdentity(store)
	return id, found, errors.Join(err, store.Close())
}

func (r *run) elsewhere(id datadir.Identity, other datadir.RunOn) error {
	if r.Dir.IsMoved(r.config.NATS.URL) {
		return remedy.Errorf("%w: pipeline %s of %s runs on %s, and the run of that name on %s belongs to %s: name the first server with %v, or the other directory with %v",
			ErrElsewhere, id.Pipeline, r.Dir.Path, strings.Join(r.Dir.About.Channels, ","), strings.Join(broker.Addresses(r.config.NATS.URL), ","), other.Directory(), remedy.NATS, remedy.Dir)
	}
	return remedy.Errorf("%w: the run of pipeline %s on this server belongs to %s, not to %s: name that directory with %v, or another server with %v",
		ErrElsewhere, id.Pipeline, other.Directory(), r.Dir.Path, remedy.Dir, remedy.NATS)
}

// replaysWait says whether dead letters of a complete run are to be replayed:
// then it is not over yet.
func (r *run) replaysWait(ctx context.Context) (bool, error) {
	letters, found, err := dlq.Lookup(ctx, r.broker.JetStream(), r.Plan.Name)
	if err != nil || !found {
		return false, err
	}
	waiting, err := letters.PendingReplays(ctx)
	return len(waiting) > 0, err
}
