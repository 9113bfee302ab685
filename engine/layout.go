package engine

import (
	"context"
	"fmt"
	"strings"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/internal/layout"
	"penstock/engine/internal/plan"
	"penstock/engine/remedy"
)

// layAsChannels lays the stages out as their channels say: of a directory that has no checkpoints nothing else does.
func (r *run) layAsChannels(ctx context.Context) error {
	for _, d := range r.Plan.Stages {
		told, isUsed, err := r.toldBy(ctx, d.Name)
		if err != nil {
			return err
		}
		d.Lay(plan.Layout{})
		if isUsed {
			d.Lay(told)
		}
	}
	return nil
}

// toldBy is what the channel of a stage tells. Without frames that is nothing.
func (r *run) toldBy(ctx context.Context, stage string) (l plan.Layout, isUsed bool, err error) {
	ch, found, err := channel.Lookup(ctx, r.broker, r.Plan.Name, stage)
	if err != nil || !found {
		return plan.Layout{}, false, err
	}
	told, isUsed := ch.Partitions()
	return plan.Layout{First: told.First, Count: told.Count}, isUsed, nil
}

// layOut finds in which instances the stages run. The directory decides, since it has the states: a channel tells of a
// change a little later. A directory whose channels tell of a later change is an old copy.
func (r *run) layOut(ctx context.Context) error {
	note, err := layout.Read(r.store)
	if err != nil {
		return err
	}
	names, err := r.store.Instances()
	if err != nil {
		return err
	}
	isNew, adopted := len(names) == 0, false
	for _, d := range r.Plan.Stages {
		told, isUsed, err := r.toldBy(ctx, d.Name)
		if err != nil {
			return err
		}
		noted, isNoted := note.Of(d.Name)
		switch {
		case isUsed && told.First > noted.First && !isNew:
			return remedy.Errorf("%w: stage %s runs in instances that are numbered from %d, and the data directory %s has those from %d: the number of partitions was changed later; "+
				"use the directory of the latest run, named with %v, or start over with %v", ErrRefused, d.Name, told.First, r.Dir.Path, noted.First, remedy.Dir, remedy.Fresh)
		case isUsed && told.First > noted.First:
			note.Stages[d.Name], adopted = told, true
			d.Lay(told)
		case isNoted:
			d.Lay(noted)
		case isUsed:
			d.Lay(told)
		default:
			d.Lay(plan.Layout{})
		}
	}
	if adopted {
		if err := note.Write(r.store); err != nil {
			return err
		}
	}
	r.layout, r.Moving = note, note.Moving
	return r.tidyLayout(ctx)
}

// tidyLayout deletes what there is of instances that do not count: of those that a change began to make, when its
// process died before it was decided, and of those that there were before one that is decided.
func (r *run) tidyLayout(ctx context.Context) error {
	for stage, l := range r.layout.Moving {
		for _, id := range l.Instances(stage) {
			if err := r.store.Remove(id.String()); err != nil {
				return err
			}
		}
		ch, found, err := channel.Lookup(ctx, r.broker, r.Plan.Name, stage)
		if err != nil {
			return err
		}
		for n := l.First; found && n < l.First+l.Count; n++ {
			if err := ch.Instance(n).Erase(ctx); err != nil {
				return fmt.Errorf("take back a change of the partitions of stage %s: %w", stage, err)
			}
		}
	}
	for stage, l := range r.layout.Stages {
		if err := r.tidyStage(ctx, stage, l); err != nil {
			return fmt.Errorf("delete what is left of the partitions before of stage %s: %w", stage, err)
		}
	}
	return nil
}

// tidyStage ends with telling the channel: then there is nothing left to do.
func (r *run) tidyStage(ctx context.Context, stage string, l plan.Layout) error {
	ch, found, err := channel.Lookup(ctx, r.broker, r.Plan.Name, stage)
	if err != nil || !found {
		return err
	}
	told, _ := ch.Partitions()
	if told.First >= l.First {
		return nil
	}
	names, err := r.store.Instances()
	if err != nil {
		return err
	}
	for _, name := range names {
		if plan.StagesOf([]string{name})[0] != stage || !r.layout.IsLeft(name) {
			continue
		}
		if err := r.store.Remove(name); err != nil {
			return err
		}
		faultpoint.Hit(faultpoint.MidTidy, stage)
	}
	for n := told.First; n < l.First; n++ {
		of, found, err := r.channelOf(ctx, plan.InstanceID{Stage: stage, Number: n})
		if err == nil && found {
			err = of.Retire(ctx)
		}
		if err != nil {
			return err
		}
	}
	return ch.Relay(ctx, channel.Partitions{First: l.First, Count: l.Count})
}

// channelOf is the channel of an instance that no task has, with the keys of the run.
func (r *run) channelOf(ctx context.Context, id plan.InstanceID) (*channel.Channel, bool, error) {
	return channel.Find(ctx, r.broker, channel.Spec{Pipeline: r.Plan.Name, Stage: id.Stage, Instance: id.Number, Keys: r.keys})
}

// forgetMoving ends what a change has left that was taken back: its instances are fenced anew.
func (r *run) forgetMoving() error {
	if len(r.layout.Moving) == 0 {
		return nil
	}
	clear(r.layout.Moving)
	return r.layout.Write(r.store)
}

// addInstances adds those of all stages, producers before readers.
func (r *run) addInstances() {
	for _, d := range r.Plan.Order() {
		for _, id := range d.Instances() {
			in := r.AddInstance(d, id, r.store.Instance(id.String()), r.broker.MaxPayload())
			in.Progress.Before = r.layout.Counts[id.String()]
		}
	}
}

// changes are the stages that are to run in another number of partitions than they do. One that has ended, or goes on
// for a dead letter only, has no use for them before the next run.
func (r *run) changes() (list []*plan.Stage) {
	for _, d := range r.Plan.Stages {
		if d.Width() != d.Wished() && !r.hasEnded(d.Name) {
			list = append(list, d)
		}
	}
	return list
}

func (r *run) hasEnded(stage string) bool {
	for _, in := range r.InstancesOf(stage) {
		if !in.HadEnded() {
			return false
		}
	}
	return true
}

// wishes names stages with what they have and get.
func wishes(changes []*plan.Stage) string {
	texts := make([]string, len(changes))
	for k, d := range changes {
		texts[k] = fmt.Sprintf("%s from %d to %d", d.Name, d.Width(), d.Wished())
	}
	return strings.Join(texts, ", ")
}
