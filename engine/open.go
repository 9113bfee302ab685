package engine

import (
	"cmp"
	"context"
	"fmt"

	"penstock/checkpoint"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
	"penstock/engine/remedy"
	"penstock/internal/openfiles"
)

// open takes the directory, connects, and makes every instance the owner of
// its stage.
func (r *run) open(ctx context.Context) (err error) {
	if r.config.Memory != nil {
		return r.openInMemory(ctx)
	}
	if r.keys, err = frame.KeysOf(r.config.FrameKeys); err != nil {
		return err
	}
	if err := r.openDirectory(ctx); err != nil {
		return err
	}
	if err := r.openBroker(ctx); err != nil {
		return err
	}
	if err := r.layAsChannels(ctx); err != nil {
		return err
	}
	if err := r.startOver(ctx); err != nil {
		return err
	}
	if err := r.claimNew(ctx); err != nil {
		return err
	}
	if r.store, err = checkpoint.Open(checkpoint.Config{Dir: r.Dir.Checkpoints(), Logger: r.Log}); err != nil {
		return err
	}
	r.Notes = r.store
	if err := r.identify(ctx); err != nil {
		return err
	}
	if err := r.claim(ctx); err != nil {
		return err
	}
	if err := r.layOut(ctx); err != nil {
		return err
	}
	if err := r.openLetters(ctx); err != nil {
		return err
	}
	r.Checkpointer = r.newCheckpointer(checkpointer.Badger{Store: r.store})
	return r.openInstances(ctx)
}

func (r *run) openBroker(ctx context.Context) (err error) {
	server := r.config.broker(r.Plan.Name, r.Dir.Broker())
	if server.StartingOver, err = r.Dir.IsStartingOver(r.Plan.Name); err != nil {
		return err
	}
	server.StartingOver = server.StartingOver || r.config.Fresh
	server.Needs = r.pipeline.Rights(r.config.NATS.InboxPrefix)
	if r.broker, err = broker.Open(ctx, server); err != nil {
		return err
	}
	r.Server = r.broker
	return nil
}

// openDirectory takes the directory. Whose it is comes before the server is asked.
func (r *run) openDirectory(ctx context.Context) error {
	files, err := datadir.CheckOpenFiles(r.config.Dir, filesBeside(r.pipeline))
	if err != nil {
		return err
	}
	if r.Dir, err = datadir.Open(r.config.Dir); err != nil {
		return err
	}
	if err := r.Dir.CheckPipeline(r.Plan.Name); err != nil {
		return err
	}
	if err := r.Dir.CheckServer(r.config.NATS.URL); err != nil {
		return err
	}
	r.releaseFiles = openfiles.Reserve(files)
	if err := r.Space.AwaitStart(ctx); err != nil {
		return err
	}
	if err := r.checkUndescribed(); err != nil {
		return err
	}
	return r.checkLetterFiles()
}

func (r *run) newCheckpointer(to checkpointer.Saver) *checkpointer.Checkpointer {
	c := r.NewCheckpointer(to)
	c.Interval = r.config.CheckpointInterval
	return c
}

// filesBeside is how many files a run needs beside its checkpoints: those of the
// server and the directory, connections, and those of each stage and its stream.
func filesBeside(p *Pipeline) int { return 40 + 8*len(p.plan.Stages) }

// isComplete says whether every stage has committed its last frame.
func (r *run) isComplete(ctx context.Context) (bool, error) {
	for _, id := range r.Plan.Instances() {
		_, last, found, err := r.lastOf(ctx, id)
		if err != nil || !found || !last.Frame.Ended {
			return false, err
		}
	}
	return true, nil
}

// lastOf is the last frame of an instance, and the channel that has it. found is false where either is missing.
func (r *run) lastOf(ctx context.Context, of plan.InstanceID) (ch *channel.Channel, last channel.Record, found bool, err error) {
	ch, found, err = r.channelOf(ctx, of)
	if err != nil || !found {
		return nil, last, false, err
	}
	last, found, err = ch.Last(ctx)
	return ch, last, found, err
}

// identify ties directory and channels together, or refuses a directory that
// belongs to something else.
func (r *run) identify(ctx context.Context) error {
	id, found, err := datadir.ReadIdentity(r.store)
	if err != nil {
		return err
	}
	if found {
		r.identity, r.Identity = id, id.ID
		return r.Dir.CheckOwner(id.Pipeline, r.Plan.Name)
	}
	if names, err := r.store.Instances(); err != nil || len(names) > 0 {
		return cmp.Or(err, remedy.Errorf("%w: the data directory %s has checkpoints without a pipeline identity: its tables are damaged; restore it, or start over with %v",
			ErrRefused, r.Dir.Path, remedy.Fresh))
	}
	r.identity = datadir.NewIdentity(r.Plan.Name)
	before, found, err := r.takeOver(ctx)
	if err != nil {
		return err
	}
	if found {
		r.Log.Warn("the data directory is new, but the channels of the pipeline exist: taking the pipeline over", "dir", r.Dir.Path, "before", before.Owner.Place())
		r.identity.ID = before.ID
	}
	r.Identity = r.identity.ID
	return datadir.WriteIdentity(r.store, r.identity)
}

// claimNew does for a new directory what claim does, before there are checkpoints: a process that is killed in between
// must not leave any of which nothing says where their channels are. A refusal leaves the directory new.
func (r *run) claimNew(ctx context.Context) error {
	if !r.Dir.IsNew() {
		return nil
	}
	before, found, err := r.takeOver(ctx)
	if err == nil && found {
		err = r.checkRebuildable(ctx, before)
	}
	if err != nil {
		return err
	}
	return r.Dir.Claim(r.Plan.Name, r.config.NATS.URL)
}

// claim keeps in the directory where its channels are.
func (r *run) claim(ctx context.Context) error {
	names, err := r.store.Instances()
	if err == nil && len(names) > 0 {
		err = r.Dir.CheckMoved(ctx, r.broker, r.identity, r.config.NATS.URL)
	}
	if err != nil {
		return err
	}
	if r.config.NATS.URL != "" {
		if err := r.checkChannels(ctx, r.identity); err != nil {
			return err
		}
	}
	if r.Dir.IsMoved(r.config.NATS.URL) {
		r.Log.Warn("the pipeline uses another NATS server from now on", "before", r.Dir.About.Channels, "now", broker.Addresses(r.config.NATS.URL))
	}
	return r.Dir.Claim(r.Plan.Name, r.config.NATS.URL)
}

func (r *run) openInstances(ctx context.Context) error {
	r.addInstances()
	if err := r.checkLetters(ctx); err != nil {
		return err
	}
	if err := r.readSync(); err != nil {
		return err
	}
	last, err := r.LastCalls()
	if err != nil {
		return err
	}
	for _, in := range r.Instances {
		if err := r.openChannel(ctx, in); err != nil {
			return err
		}
	}
	for _, in := range r.Instances { // only now: a start that is refused leaves the owner alone
		if err := in.Open(ctx); err != nil {
			return err
		}
	}
	if err := r.forgetMoving(); err != nil {
		return err
	}
	if err := r.CheckPositions(); err != nil {
		return err
	}
	if err := r.CheckEnded(ctx); err != nil {
		return err
	}
	if r.wasLazy && !last.Clean {
		if err := r.takeBackLetters(ctx); err != nil {
			return err
		}
	}
	if err := r.noteSync(ctx); err != nil {
		return err
	}
	if err := r.BeginQuarantine(last); err != nil {
		return err
	}
	r.opened()
	r.broker.Started()
	return nil
}

// openChannel opens the channel of an instance, and reads its state from there.
func (r *run) openChannel(ctx context.Context, in *task.Instance) error {
	ch, err := channel.Open(ctx, r.broker, channel.Spec{
		Pipeline:        r.Plan.Name,
		Stage:           in.ID.Stage,
		Instance:        in.ID.Number,
		Partitions:      channel.Partitions{First: in.Definition.Layout().First, Count: in.Definition.Width()},
		Identity:        r.identity.ID,
		Owner:           r.owner(),
		MaxBytes:        int64(in.Format.Capacity.Bytes+in.Format.Capacity.Bytes/4) + 64<<20,
		DuplicateWindow: r.config.DuplicateWindow,
		MayTrim:         func() bool { return r.Space.MayTrim(r.broker) },
		Logger:          in.Log,
		OnForeign:       in.Observed.Foreign.Met,
		Keys:            r.keys,
	})
	if err != nil {
		return otherPartitions(err)
	}
	in.Channel = ch
	if r.wasLazy {
		if err := in.TakeBack(ctx); err != nil {
			return fmt.Errorf("stage %s: roll back commits whose messages are lost: %w", in.Definition.Name, err)
		}
	}
	return in.Rebuild(ctx)
}

// opened has the stages ready to start.
func (r *run) opened() {
	r.Supervisor = r.SupervisorOf(r.Plan.Root)
	r.Supervisor.OnEvent = r.OnEvent
	r.Ready.Store(true)
}
