package engine

import (
	"context"
	"errors"

	"penstock/engine/channel"
	"penstock/engine/internal/datadir"
	"penstock/engine/remedy"
)

// ErrOtherArguments says that a data directory which is not that of a run was to take it over with other arguments than
// the run has: see Config.Arguments. Nothing was changed, and the run goes on.
var ErrOtherArguments = errors.New("the run on the server has other arguments")

// owner is what the channels tell of this run.
func (r *run) owner() channel.Owner { return channel.OwnerAt(r.Dir.Path, r.config.Arguments) }

// takeOver finds the run on the server that a new directory goes on with, and refuses one with other arguments: what it
// has made and what this one would make do not belong together. It comes before anything of that run is touched.
func (r *run) takeOver(ctx context.Context) (before datadir.RunOn, found bool, err error) {
	runs, err := datadir.RunsOn(ctx, r.broker, r.Plan.Name, r.Plan.StageNames())
	if err != nil {
		return before, false, err
	}
	now := r.owner()
	for _, run := range runs {
		if run.Owner.HasOther(now) {
			return run, true, r.otherArguments(run.Owner, now)
		}
	}
	before, found = datadir.OtherThan("", runs)
	return before, found, nil
}

// otherArguments advises to start over only where the run is of this very directory: else that deletes another's run.
func (r *run) otherArguments(before, now channel.Owner) error {
	had, has := before.Differences(now)
	const what = "%w: pipeline %s is run from %s with %s, and this start from %s has %s: "
	if before.IsAt(now) {
		return remedy.Errorf(what+"start it with the arguments of the run, start over with %v, or name another server with %v",
			ErrOtherArguments, r.Plan.Name, before.Place(), had, now.Place(), has, remedy.Fresh, remedy.NATS)
	}
	return remedy.Errorf(what+"start it with the arguments of the run to take it over, name the directory of the run with %v, or another server with %v",
		ErrOtherArguments, r.Plan.Name, before.Place(), had, now.Place(), has, remedy.Dir, remedy.NATS)
}

// own has the channels tell of this run. It comes when nothing can refuse the run any more, and before a stage starts.
func (r *run) own(ctx context.Context) error {
	if r.memory != nil {
		return nil
	}
	owner := r.owner()
	for _, in := range r.Instances {
		if err := in.Channel.Own(ctx, owner); endedBy(ctx, err) {
			return nil // it drains
		} else if err != nil {
			return err
		}
	}
	return nil
}
