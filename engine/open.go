package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/datadir"
	"penstock/engine/remedy"
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
	if r.dir, err = datadir.Open(r.config.Dir); err != nil {
		return err
	}
	if err := r.dir.CheckServer(r.config.NATS.URL); err != nil {
		return err
	}
	if err := checkpoint.CheckOpenFiles(r.dir.Checkpoints(), filesBeside(r.pipeline)); err != nil {
		return err
	}
	if err := r.space.awaitStart(ctx); err != nil {
		return err
	}
	if err := r.checkLetterFiles(); err != nil {
		return err
	}
	server := r.config.broker(r.plan.Name, r.dir.Broker())
	if server.StartingOver, err = r.dir.IsStartingOver(r.plan.Name); err != nil {
		return err
	}
	server.StartingOver = server.StartingOver || r.config.Fresh
	server.Needs = r.pipeline.Rights(r.config.NATS.InboxPrefix)
	if r.broker, err = broker.Open(ctx, server); err != nil {
		return err
	}
	r.server = r.broker
	if err := r.startOver(ctx); err != nil {
		return err
	}
	if err := r.claimNew(); err != nil {
		return err
	}
	if r.store, err = checkpoint.Open(checkpoint.Config{Dir: r.dir.Checkpoints(), Logger: r.log}); err != nil {
		return err
	}
	r.notes = r.store
	if err := r.identify(ctx); err != nil {
		return err
	}
	if err := r.claim(ctx); err != nil {
		return err
	}
	r.queue, err = dlq.Open(ctx, r.broker.JetStream(), dlq.Config{
		Pipeline:    r.plan.Name,
		Identity:    r.identity.ID,
		Replicas:    r.broker.Replicas(),
		MaxBytes:    r.config.DeadLetterBytes,
		MaxMessages: r.config.DeadLetterCount,
		MaxAge:      r.config.DeadLetterAge,
		Logger:      r.log,
	})
	if err != nil {
		return err
	}
	r.letters = r.queue
	r.checkpointer = r.newCheckpointer(badger{r.store})
	return r.openInstances(ctx)
}

func (r *run) newCheckpointer(to saver) *checkpointer {
	return &checkpointer{
		saver: to, interval: r.config.CheckpointInterval, server: r.server, log: r.log,
		kicked: make(chan struct{}, 1), trimmed: map[*instance]uint64{},
	}
}

// filesBeside is how many files a run needs beside its checkpoints: those of the
// server and the directory, connections, and those of each stage and its stream.
func filesBeside(p *Pipeline) int { return 40 + 8*len(p.plan.Stages) }

// isComplete says whether every stage has committed its last frame.
func (r *run) isComplete(ctx context.Context) (bool, error) {
	for _, d := range r.plan.Stages {
		ch, found, err := channel.Find(ctx, r.broker, channel.Spec{Pipeline: r.plan.Name, Stage: d.Name, Keys: r.keys})
		if err != nil || !found {
			return false, err
		}
		last, found, err := ch.Last(ctx)
		if err != nil || !found || !last.Frame.Ended {
			return false, err
		}
	}
	return true, nil
}

// identify ties directory and channels together, or refuses a directory that
// belongs to something else.
func (r *run) identify(ctx context.Context) error {
	id, found, err := datadir.ReadIdentity(r.store)
	if err != nil {
		return err
	}
	if found && id.Pipeline != r.plan.Name {
		return fmt.Errorf("%w: the data directory %s belongs to the pipeline %q, not %q: name another directory", ErrRefused, r.dir.Path, id.Pipeline, r.plan.Name)
	}
	if found {
		r.identity = id
		return nil
	}
	if names, err := r.store.Instances(); err != nil || len(names) > 0 {
		return cmp.Or(err, remedy.Errorf("%w: the data directory %s has checkpoints without a pipeline identity: its tables are damaged; restore it, or start over with %v",
			ErrRefused, r.dir.Path, remedy.Fresh))
	}
	r.identity = datadir.NewIdentity(r.plan.Name)
	there, err := datadir.IdentitiesOn(ctx, r.broker, r.plan.Name, r.plan.StageNames())
	if err != nil {
		return err
	}
	if k := slices.IndexFunc(there, func(id string) bool { return id != "" }); k >= 0 {
		r.log.Warn("the data directory is new, but the channels of the pipeline exist: taking the pipeline over", "dir", r.dir.Path)
		r.identity.ID = there[k]
	}
	return datadir.WriteIdentity(r.store, r.identity)
}

// claimNew does for a new directory what claim does, before there are checkpoints: a process that is killed in between must
// not leave any of which nothing says where their channels are.
func (r *run) claimNew() error {
	if !r.dir.IsNew() {
		return nil
	}
	return r.dir.Claim(r.plan.Name, r.config.NATS.URL)
}

// claim keeps in the directory where its channels are.
func (r *run) claim(ctx context.Context) error {
	names, err := r.store.Instances()
	if err == nil && len(names) > 0 {
		err = r.dir.CheckMoved(ctx, r.broker, r.identity, r.config.NATS.URL)
	}
	if err != nil {
		return err
	}
	if r.dir.IsMoved(r.config.NATS.URL) {
		r.log.Warn("the pipeline uses another NATS server from now on", "before", r.dir.About.Channels, "now", broker.Addresses(r.config.NATS.URL))
	}
	return r.dir.Claim(r.plan.Name, r.config.NATS.URL)
}

func (r *run) openInstances(ctx context.Context) error {
	for _, d := range r.plan.Order() {
		r.addInstance(d, r.store.Instance(d.ID().String()), r.broker.MaxPayload())
	}
	r.checkpointer.instances = r.instances
	if err := r.checkLetters(ctx); err != nil {
		return err
	}
	if err := r.readSync(); err != nil {
		return err
	}
	last, err := r.lastCalls()
	if err != nil {
		return err
	}
	for _, in := range r.instances {
		ch, err := channel.Open(ctx, r.broker, channel.Spec{
			Pipeline:        r.plan.Name,
			Stage:           in.definition.Name,
			Identity:        r.identity.ID,
			MaxBytes:        int64(in.format.capacity.Bytes+in.format.capacity.Bytes/4) + 64<<20,
			DuplicateWindow: r.config.DuplicateWindow,
			MayTrim:         r.space.mayTrim,
			Logger:          in.log,
			OnForeign:       in.observed.foreign.met,
			Keys:            r.keys,
		})
		if err != nil {
			return err
		}
		in.channel = ch
		if r.wasLazy {
			if err := in.takeBack(ctx); err != nil {
				return fmt.Errorf("stage %s: roll back commits whose messages are lost: %w", in.definition.Name, err)
			}
		}
		if err := in.open(ctx); err != nil {
			return err
		}
	}
	if err := r.checkPositions(); err != nil {
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
	if err := r.beginQuarantine(last); err != nil {
		return err
	}
	r.opened()
	r.broker.Started()
	return nil
}

// opened has the stages ready to start.
func (r *run) opened() {
	r.supervisor = r.supervisorOf(r.plan.Root)
	r.supervisor.OnEvent = r.onEvent
	r.ready.Store(true)
}
