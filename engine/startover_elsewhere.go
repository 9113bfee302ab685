package engine

import (
	"context"
	"errors"
	"slices"
	"strings"

	"penstock/engine/broker"
	"penstock/engine/internal/datadir"
	"penstock/engine/remedy"
	"penstock/internal/counted"
)

// ErrOthersRun says that a start from a data directory that is not that of the complete run on the server would delete
// this run. Nothing was changed.
var ErrOthersRun = errors.New("the complete run on the server is that of another data directory")

// checkOwner refuses a complete run that another data directory made: this one
// was pointed at the wrong server, and would delete what is there. isOwn says that
// the directory tells that the run is its own: a new one, or a damaged one, does not,
// nor does one that another directory took the run over from.
func (r *run) checkOwner(ctx context.Context) (isOwn bool, err error) {
	before, err := r.readBefore()
	switch {
	case err != nil && r.Dir.IsMoved(r.config.NATS.URL):
		return false, err
	case err != nil || !before.found: // what there is of it goes as well
		return false, nil
	}
	if err := r.checkChannels(ctx, before.id); err != nil {
		return false, err
	}
	isBehind, err := r.isBehind(ctx, before)
	return !isBehind, err
}

// isBehind says that a stage was owned by another process since the directory was used: a run that ends takes a last
// checkpoint.
func (r *run) isBehind(ctx context.Context, before storedBefore) (bool, error) {
	for _, d := range r.Plan.Stages {
		_, last, found, err := r.lastOf(ctx, d.Instances()[0])
		if err != nil || found && last.Frame.Epoch > before.epochs[d.Name] {
			return err == nil, err
		}
	}
	return false, nil
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

// checkDeletes refuses to delete a complete run of another place, where the directory does not say that the run is its
// own. A run that does not tell its place, of an earlier build, is deleted.
func (r *run) checkDeletes(ctx context.Context) error {
	if r.config.NATS.URL == "" { // the channels are in the directory
		return nil
	}
	runs, err := datadir.RunsOn(ctx, r.broker, r.Plan.Name, r.Plan.StageNames())
	if err != nil {
		return err
	}
	now := r.owner()
	k := slices.IndexFunc(runs, func(o datadir.RunOn) bool { return o.Owner.IsKnown() && !o.Owner.IsAt(now) })
	if k < 0 {
		return nil
	}
	n, err := r.lettersLeft(ctx)
	if err != nil {
		return err
	}
	with := ""
	if n > 0 {
		with = " with its " + counted.Things(n, "dead letter")
	}
	own, letters, err := r.fromOwnDirectory(ctx, runs[k], n)
	if err != nil {
		return err
	}
	return remedy.Errorf("%w: pipeline %s is complete there, from the data directory %s, and a start from %s would delete that run%s: %v, name another server or account with %v, or delete that run with %v%v",
		ErrOthersRun, r.Plan.Name, runs[k].Owner.Place(), r.Dir.Path, with, own, remedy.NATS, remedy.Fresh, letters)
}

// fromOwnDirectory says how a run is started from its own directory, and how its n dead letters are handled there. On
// another host nothing is known of the directory.
func (r *run) fromOwnDirectory(ctx context.Context, other datadir.RunOn, n uint64) (start, letters error, err error) {
	dir, nothing := other.Owner.Dir, errors.New("")
	switch {
	case other.Owner.Host != r.owner().Host:
		return errors.New("start it from that directory on its host"), nothing, nil
	case !datadir.At(dir).IsThere():
		return errors.New("restore that directory, which is not there any more, and start it from there"), nothing, nil
	}
	start = remedy.Errorf("start it with %v", remedy.Dir.For(dir))
	if n == 0 {
		return start, nothing, nil
	}
	unreadable, canReplay, err := r.usesOfLetters(ctx)
	if err != nil {
		return nil, nil, err
	}
	letters = remedy.Errorf("discard them with %v, or keep a copy with %v", remedy.DiscardLetter.In(dir), remedy.ExportLetters.In(dir))
	if unreadable != "" {
		letters = remedy.Errorf("see why they cannot be read with %v, or discard them with %v", remedy.GetLetter.For(unreadable).In(dir), remedy.DiscardLetter.In(dir))
	}
	if canReplay {
		letters = remedy.Errorf("replay what a stage can handle with %v, %v", remedy.ReplayLetters.In(dir), letters)
	}
	return start, remedy.Errorf(". To handle its dead letters: %v", letters), nil
}

func (r *run) elsewhere(id datadir.Identity, other datadir.RunOn) error {
	if r.Dir.IsMoved(r.config.NATS.URL) {
		return remedy.Errorf("%w: pipeline %s of %s runs on %s, and the run of that name on %s belongs to %s: name the first server with %v, or the other directory with %v",
			ErrElsewhere, id.Pipeline, r.Dir.Path, strings.Join(r.Dir.About.Channels, ","), strings.Join(broker.Addresses(r.config.NATS.URL), ","), other.Directory(), remedy.NATS, remedy.Dir)
	}
	return remedy.Errorf("%w: the run of pipeline %s on this server belongs to %s, not to %s: name that directory with %v, or another server with %v",
		ErrElsewhere, id.Pipeline, other.Directory(), r.Dir.Path, remedy.Dir, remedy.NATS)
}
