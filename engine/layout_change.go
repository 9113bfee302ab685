package engine

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/layout"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/repartition"
	"penstock/engine/remedy"
	"penstock/internal/counted"
)

// change has the stages handle what was written for the partitions that they have, without calling the sources, and
// moves their states to the partitions that they are declared with. again says that the run goes on in these.
func (r *run) change(ctx context.Context, changes []*plan.Stage) (again bool, err error) {
	for _, d := range changes {
		if err := d.CheckWidth(d.Width()); err != nil {
			return false, r.cannotMove(d, fmt.Sprintf("first it has to handle what was written for them, and so it cannot: %v", err))
		}
	}
	r.Log.Info("the number of partitions changes; first the stages handle what was written for those that there are, while the sources wait", "stages", wishes(changes))
	if err := r.begin(ctx); err != nil {
		return false, err
	}
	if stop := r.config.OnStop; stop != nil {
		defer func() {
			if !again {
				stop()
			}
		}()
	}
	r.BeginDrain()
	if err := r.work(ctx); err != nil || ctx.Err() != nil {
		return false, err
	}
	if r.areAllEnded() {
		return false, nil
	}
	if changes = r.changes(); len(changes) == 0 {
		return true, nil
	}
	// What a producer has committed and its checkpoint has not could be lost without a word by a server that syncs late.
	if err := r.Checkpointer.Checkpoint(ctx); err != nil {
		return false, fmt.Errorf("change the number of partitions: %w", err)
	}
	for _, d := range changes {
		if left := repartition.Check(r.Run, d.Name); left != "" {
			return false, r.cannotMove(d, left)
		}
	}
	switch err := r.move(ctx, changes); {
	case endedBy(ctx, err): // the next start does it
		return false, nil
	case err != nil:
		return false, fmt.Errorf("change the number of partitions: %w", err)
	}
	return true, nil
}

func (r *run) areAllEnded() bool {
	for _, in := range r.Instances {
		if !in.Phase.IsEnded() {
			return false
		}
	}
	return true
}

// cannotMove is the refusal of a start that leaves everything as it is.
func (r *run) cannotMove(d *plan.Stage, left string) error {
	return remedy.Errorf("%w: stage %s has run in %s and is declared with %d, and not everything can be moved: %s; go on with %v until that is done, or start over with %v",
		ErrRefused, d.Name, counted.Things(d.Width(), "partition"), d.Wished(), left, remedy.SetPartitions.For(d.Name+"="+strconv.Itoa(d.Width())), remedy.Fresh)
}

// move moves the states of stages that have stopped, and have taken all that was written for them. Until the note is
// written, what is made here counts for nothing, and the next start takes it back; from then on it finishes the rest.
func (r *run) move(ctx context.Context, changes []*plan.Stage) error {
	began := time.Now()
	note := layout.Note{Stages: r.layout.Stages, Counts: r.layout.Counts, Moving: map[string]plan.Layout{}}
	for _, d := range changes {
		note.Moving[d.Name] = d.Layout().Next(d.Wished())
	}
	if err := r.Dir.ClaimChanged(r.Plan.Name, r.config.NATS.URL); err != nil {
		return err
	}
	if err := r.Space.Persist(func() error { return note.Write(r.store) }); err != nil {
		return err
	}
	faultpoint.Hit(faultpoint.MoveNoted, "")
	keys := 0
	moves := make([]*repartition.Move, len(changes))
	for k, d := range changes {
		moves[k] = r.moveOf(d, note.Moving[d.Name])
		if err := moves[k].Begin(ctx); err != nil {
			return err
		}
		keys += moves[k].Keys
	}
	faultpoint.Hit(faultpoint.MoveCopied, "")
	for _, m := range moves {
		if err := m.Retire(ctx); err != nil {
			return err
		}
	}
	if r.broker.Embedded() { // what a cut of the power takes now, no position tells
		if err := r.broker.SyncAllFiles(ctx); err != nil {
			return err
		}
	}
	if err := r.Space.Persist(func() error { return note.Decided(repartition.Carried(r.Run, note.Moving)).Write(r.store) }); err != nil {
		return err
	}
	faultpoint.Hit(faultpoint.MoveDecided, "")
	r.Log.Info("the number of partitions is changed", "stages", wishes(changes), "keys", keys, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

func (r *run) moveOf(d *plan.Stage, to plan.Layout) *repartition.Move {
	return &repartition.Move{
		Run: r.Run, Stage: d, To: to,
		Saver:   checkpointer.Badger{Store: r.store},
		Corner:  func(id plan.InstanceID) ports.Store { return r.store.Instance(id.String()) },
		Channel: r.logOf,
	}
}

// logOf is the channel of a new instance, in the stream that the stage has.
func (r *run) logOf(ctx context.Context, id plan.InstanceID) (ports.OwnedLog, error) {
	ch, found, err := r.channelOf(ctx, id)
	if err == nil && !found {
		err = remedy.Errorf("%w: stream %s is gone: restore it, or start over with %v", ErrRefused, channel.StreamName(r.Plan.Name, id.Stage), remedy.Fresh)
	}
	return ch, err
}
