package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/layout"
	"penstock/engine/internal/plan"
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
		isOwn, err := r.checkOwner(ctx)
		if err != nil {
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
		if !isOwn {
			if err := r.checkDeletes(ctx); err != nil {
				return err
			}
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
	unreadable, canReplay, err := r.usesOfLetters(ctx)
	if err != nil {
		return err
	}
	left := counted.Things(n, "dead letter")
	if r.config.NATS.URL != "" && r.Dir.IsNew() { // the commands need the directory
		return remedy.Errorf("%w: pipeline %s is complete on this server, and its next run would delete %s. The data directory %s has nothing of that run, so they cannot be handled from it: "+
			"restore the directory, or delete them with %v", ErrLettersLeft, r.Plan.Name, left, r.Dir.Path, remedy.DiscardLetters)
	}
	if unreadable != "" {
		return remedy.Errorf("%w: pipeline %s is complete, and its next run would delete %s. None of them can be read: see the first with %v. "+
			"To start: delete with %v, or run with %v",
			ErrLettersLeft, r.Plan.Name, left, remedy.GetLetter.For(unreadable), remedy.DiscardLetter, remedy.DiscardLetters)
	}
	if !canReplay {
		return remedy.Errorf("%w: pipeline %s is complete, and its next run would delete %s. No stage can take what is in there again: a source could not send it. "+
			"To start: delete with %v, or run with %v. To keep a copy before that: %v",
			ErrLettersLeft, r.Plan.Name, left, remedy.DiscardLetter, remedy.DiscardLetters, remedy.ExportLetters)
	}
	return remedy.Errorf("%w: pipeline %s is complete, and its next run would delete %s. To replay what a stage can handle: %v, then run it again. "+
		"To start without: delete with %v, or run with %v. To keep a copy before that: %v",
		ErrLettersLeft, r.Plan.Name, left, remedy.ReplayLetters, remedy.DiscardLetter, remedy.DiscardLetters, remedy.ExportLetters)
}

// usesOfLetters returns the first letter if none can be read, and whether a stage takes at least one of them again.
func (r *run) usesOfLetters(ctx context.Context) (unreadable string, canReplay bool, _ error) {
	letters, found, err := dlq.Lookup(ctx, r.broker.JetStream(), r.Plan.Name)
	if err != nil || !found {
		return "", false, err
	}
	enough, canRead := errors.New("one is enough"), false
	err = letters.Select(ctx, dlq.Filter{WithoutValues: true, Unreadable: true}, func(l dlq.Letter) error {
		if l.CanReplay() {
			return enough
		}
		canRead = canRead || !l.Unreadable
		unreadable = cmp.Or(unreadable, l.ID())
		return nil
	})
	if errors.Is(err, enough) {
		return "", true, nil
	}
	if canRead {
		unreadable = ""
	}
	return unreadable, false, err
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

// checkUndescribed is Directory.CheckPipeline for a directory that only its store,
// or else its channels, can tell the pipeline of: an old one, or one without its
// description.
func (r *run) checkUndescribed() error {
	if r.Dir.About.Pipeline != "" {
		return nil
	}
	before, err := r.readBefore()
	if err != nil && !errors.Is(err, checkpoint.ErrCorrupt) {
		return err
	}
	if before.found {
		return r.Dir.CheckOwner(before.id.Pipeline, r.Plan.Name)
	}
	owners, err := r.Dir.Owners()
	if err != nil || len(owners) == 0 || slices.Contains(owners, r.Plan.Name) {
		return err
	}
	return r.Dir.CheckOwner(owners[0], r.Plan.Name)
}

// storedBefore is what a directory says of its run before its store is opened for the next one.
type storedBefore struct {
	id     datadir.Identity
	found  bool              // the identity
	epochs map[string]uint64 // of the newest commits of the stages that it has
}

func (r *run) readBefore() (before storedBefore, err error) {
	if !datadir.Exists(r.Dir.Checkpoints()) {
		return before, nil
	}
	store, err := checkpoint.Open(checkpoint.Config{Dir: r.Dir.Checkpoints(), Logger: r.Log})
	if err != nil {
		return before, err
	}
	before.id, before.found, err = datadir.ReadIdentity(store)
	if err == nil {
		before.epochs, err = epochsIn(store, r.Plan.StageNames())
	}
	return before, errors.Join(err, store.Close())
}

func epochsIn(store *checkpoint.Store, stages []string) (map[string]uint64, error) {
	epochs := map[string]uint64{}
	note, err := layout.Read(store)
	if err != nil {
		return nil, err
	}
	for _, stage := range stages {
		first := plan.InstanceID{Stage: stage, Number: note.First(stage)}
		saved, found, err := store.Instance(first.String()).Load()
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		last, err := frame.Decode(saved.Record)
		if err != nil {
			return nil, fmt.Errorf("checkpoint of %s: %w", stage, err)
		}
		epochs[stage] = last.Epoch
	}
	return epochs, nil
}

// replaysWait says whether dead letters of a complete run are to be replayed:
// then it is not over yet.
func (r *run) replaysWait(ctx context.Context) (bool, error) {
	letters, found, err := dlq.Lookup(ctx, r.broker.JetStream(), r.Plan.Name)
	if err != nil || !found {
		return false, err
	}
	waiting, err := r.takeableReplays(ctx, letters)
	return waiting > 0, err
}
