package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/supervise"
)

// run is one Run of a pipeline.
type run struct {
	pipeline     *Pipeline
	config       Config
	log          *slog.Logger
	dir          *directory
	broker       *broker.Broker
	store        *checkpoint.Store
	letters      *dlq.Queue
	identity     identity
	instances    []*instance // producers before readers
	byStage      map[*definition]*instance
	readers      map[*instance][]readerRef
	checkpointer *checkpointer
	drain        atomic.Bool
	ready        atomic.Bool // every instance is open
	started      time.Time
}

// ErrRunning says that the pipeline is running already.
var ErrRunning = errors.New("the pipeline is running already")

// Run runs the pipeline until every stage has ended, and then returns nil. A
// run that was interrupted, by whatever, goes on where it was; one that had
// completed starts anew.
//
// When ctx is done the sources stop, what is under way is drained for up to
// Config.DrainTimeout, and Run returns nil; Status tells whether the run is
// complete. Any other end is an error, and loses nothing.
func (p *Pipeline) Run(ctx context.Context, config Config) error {
	if err := p.Check(); err != nil {
		return err
	}
	config = config.withDefaults()
	r := &run{
		pipeline: p,
		config:   config,
		log:      config.Logger.With("pipeline", p.name),
		byStage:  map[*definition]*instance{},
		readers:  map[*instance][]readerRef{},
		started:  time.Now(),
	}
	if !p.begin(r) {
		return fmt.Errorf("run pipeline %s: %w", p.name, ErrRunning)
	}
	defer p.finish(r)
	err := r.open(ctx)
	if err == nil {
		err = r.serve(ctx)
	}
	return errors.Join(err, r.close())
}

func (p *Pipeline) begin(r *run) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		return false
	}
	p.current, p.final = r, nil
	return true
}

func (p *Pipeline) finish(r *run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := r.status()
	p.current, p.final = nil, &status
}

// open takes the directory, connects, and makes every instance the owner of
// its stage.
func (r *run) open(ctx context.Context) (err error) {
	if r.dir, err = openDirectory(r.config.Dir); err != nil {
		return err
	}
	if r.broker, err = broker.Open(ctx, r.config.broker(r.pipeline.name, r.dir.broker())); err != nil {
		return err
	}
	if err := r.startOver(ctx); err != nil {
		return err
	}
	if r.store, err = checkpoint.Open(checkpoint.Config{Dir: r.dir.checkpoints(), Logger: r.log}); err != nil {
		return err
	}
	if err := r.identify(ctx); err != nil {
		return err
	}
	r.letters, err = dlq.Open(ctx, r.broker.JetStream(), dlq.Config{
		Pipeline: r.pipeline.name,
		Identity: r.identity.ID,
		Replicas: r.broker.Replicas(),
		MaxBytes: r.config.DeadLetterBytes,
		Logger:   r.log,
	})
	if err != nil {
		return err
	}
	r.checkpointer = &checkpointer{
		store:    r.store,
		interval: r.config.CheckpointInterval,
		broker:   r.broker,
		log:      r.log,
		kicked:   make(chan struct{}, 1),
		trimmed:  map[*instance]uint64{},
	}
	return r.openInstances(ctx)
}

// isComplete says whether every stage has committed its last frame.
func (r *run) isComplete(ctx context.Context) (bool, error) {
	for _, d := range r.pipeline.stages {
		ch, found, err := channel.Lookup(ctx, r.broker, r.pipeline.name, d.name)
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
	id, found, err := readIdentity(r.store)
	if err != nil {
		return err
	}
	if found && id.Pipeline != r.pipeline.name {
		return fmt.Errorf("%w: the data directory %s belongs to the pipeline %q, not %q: name another directory", ErrRefused, r.dir.path, id.Pipeline, r.pipeline.name)
	}
	if found {
		r.identity = id
		return nil
	}
	r.identity = newIdentity(r.pipeline.name)
	for _, d := range r.pipeline.stages {
		ch, exists, err := channel.Lookup(ctx, r.broker, r.pipeline.name, d.name)
		if err != nil {
			return err
		}
		if exists && ch.Identity() != "" {
			r.log.Warn("the data directory is new and the pipeline's channels are not: taking the pipeline over", "dir", r.dir.path)
			r.identity.ID = ch.Identity()
			break
		}
	}
	return writeIdentity(r.store, r.identity)
}

func (r *run) openInstances(ctx context.Context) error {
	for _, d := range r.pipeline.order() {
		in := r.newInstance(d)
		r.instances = append(r.instances, in)
		r.byStage[d] = in
		for _, i := range in.inputs {
			i.producer = r.byStage[i.definition.stream.owner]
			r.readers[i.producer] = append(r.readers[i.producer], readerRef{in, i, i.producer.definition.destination(i.definition.stream)})
		}
	}
	r.checkpointer.instances = r.instances
	for _, in := range r.instances {
		var err error
		in.channel, err = channel.Open(ctx, r.broker, channel.Spec{
			Pipeline:        r.pipeline.name,
			Stage:           in.definition.name,
			Identity:        r.identity.ID,
			MaxBytes:        2*int64(in.capacity.Bytes) + 64<<20,
			DuplicateWindow: r.config.DuplicateWindow,
			Logger:          in.log,
		})
		if err != nil {
			return err
		}
		if err := in.open(ctx); err != nil {
			return err
		}
	}
	if err := r.checkPositions(); err != nil {
		return err
	}
	r.ready.Store(true)
	for _, in := range r.instances {
		for _, i := range in.inputs {
			i.reader = i.producer.channel.Reader(channel.ReaderConfig{
				Name:         in.definition.name + "-0",
				Branch:       i.definition.stream.branch,
				Position:     channel.Position{Offset: i.committed.Offset, Sequence: i.committed.Sequence},
				ProducerLast: i.producer.last.Load,
			})
		}
	}
	return nil
}

// checkPositions refuses a reader that is ahead of its channel, also one that
// has ended and looks no more: the channel was replaced or lost its tail.
func (r *run) checkPositions() error {
	for _, in := range r.instances {
		for _, i := range in.inputs {
			written := i.producer.next[i.producer.definition.destination(i.definition.stream)].Load()
			if i.committed.Offset > written {
				return fmt.Errorf("%w: stage %s has taken %d messages of %s, and its channel ends after %d: the channel lost its tail, or was deleted; restore it, or start over with --fresh",
					ErrRefused, in.definition.name, i.committed.Offset, i.definition.stream, written)
			}
		}
	}
	return nil
}

func (r *run) newInstance(d *definition) *instance {
	in := &instance{
		definition: d,
		run:        r,
		name:       d.name + ".0",
		log:        r.log.With("stage", d.name),
		capacity:   d.capacity(),
		limits:     limitsFor(r.broker.MaxPayload()),
		owner:      newOwner(),
		timers:     make([]int64, len(d.timers)),
		batch:      newBatch(d.destinations()),
		maxCalls:   batchCalls,
		arrivals:   make(chan arrival, 16),
		refusals:   make(chan error, len(d.inputs)),
		wake:       make(chan struct{}, 1),
		next:       make([]atomic.Uint64, len(d.destinations())),
	}
	in.committed = newCommitted(d.name, r.store.Instance(in.name))
	for _, stream := range d.destinations() {
		if stream.compress == frame.S2 {
			in.options.Compression = frame.S2
		}
	}
	for _, i := range d.inputs {
		in.inputs = append(in.inputs, &input{definition: i, ahead: semaphore.NewWeighted(aheadBytes)})
		in.inputs[len(in.inputs)-1].head.input = in.inputs[len(in.inputs)-1]
	}
	if d.kind == KindSource {
		in.source = newFeeder()
	}
	in.machine = d.newMachine(in)
	return in
}

// serve runs everything until the end, a drain or an escalation, and then
// takes a last checkpoint.
func (r *run) serve(ctx context.Context) error {
	if ready := r.config.OnReady; ready != nil {
		if err := ready(); err != nil {
			return err
		}
	}
	if stop := r.config.OnStop; stop != nil {
		defer stop()
	}
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var background sync.WaitGroup
	for _, in := range r.instances {
		if !in.isEnded.Load() {
			in.startReaders(hard, &background)
		}
	}
	background.Go(func() { r.checkpointer.serve(hard) })

	drained := make(chan struct{})
	background.Go(func() { r.watchDrain(ctx, drained, cancel) })

	supervisor := supervise.Supervisor{OnEvent: r.onEvent}
	for _, in := range r.instances {
		supervisor.Children = append(supervisor.Children, supervise.Child{
			Name:     in.definition.name,
			Serve:    in.serve,
			Backoff:  in.definition.options.backoff,
			Progress: in.progress,
		})
	}
	err := supervisor.Serve(hard)
	close(drained)
	cancel()
	background.Wait()
	return r.conclude(ctx, err)
}

// progress grows with the commits that leave nothing behind that failed, so
// that the backoff of a stage grows as long as the same thing fails.
func (in *instance) progress() uint64 { return in.healthy }

func (in *instance) startReaders(ctx context.Context, wait *sync.WaitGroup) {
	for _, i := range in.inputs {
		wait.Go(func() {
			if err := i.reader.Run(ctx); err != nil {
				in.refusals <- fmt.Errorf("read %s: %w", i.definition.stream, err)
			}
		})
		wait.Go(func() { i.forward(ctx, in.arrivals) })
	}
}

// watchDrain turns the end of the user's context into a drain, and a drain
// that takes too long into a hard stop.
func (r *run) watchDrain(ctx context.Context, drained <-chan struct{}, hardStop func()) {
	select {
	case <-ctx.Done():
	case <-drained:
		return
	}
	r.log.Info("stopping: the sources stop, the rest drains", "timeout", r.config.DrainTimeout)
	r.drain.Store(true)
	r.pokeAll()
	timer := time.NewTimer(r.config.DrainTimeout)
	defer timer.Stop()
	select {
	case <-timer.C:
		hardStop()
	case <-drained:
	}
}

func (r *run) isDraining() bool { return r.drain.Load() }

func (r *run) pokeAll() {
	for _, in := range r.instances {
		in.poke()
	}
}

// conclude takes the last checkpoint and says how the run ended.
func (r *run) conclude(ctx context.Context, err error) error {
	var late []string
	for _, in := range r.instances {
		if !in.stopped.Load() {
			late = append(late, in.definition.name)
		}
	}
	if r.isDraining() && errors.Is(err, context.Canceled) {
		err = fmt.Errorf("the drain took longer than %v; these stages were cut off (they resume): %s", r.config.DrainTimeout, strings.Join(late, ", "))
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if saveErr := r.checkpointer.checkpoint(last); saveErr != nil && err == nil {
		r.log.Warn("the last checkpoint failed; the next start replays a little more", "error", saveErr)
	}
	for _, in := range r.instances {
		in.saveStats()
	}
	return err
}

// onEvent counts and tells what happens to the stages.
func (r *run) onEvent(e supervise.Event) {
	in := r.byStage[r.pipeline.stage(e.Child)]
	switch e.Kind {
	case supervise.Fault:
		var panicked *supervise.PanicError
		if errors.As(e.Err, &panicked) {
			in.stats.Panics.Add(1)
		} else {
			in.stats.Errors.Add(1)
		}
		in.log.Error("the stage failed", "error", e.Err)
	case supervise.BackingOff:
		in.log.Info("restarting from the last commit", "delay", e.Delay, "restart", e.Restart)
	case supervise.Restarting:
		in.stats.Restarts.Add(1)
	}
	if r.config.OnEvent != nil {
		r.config.OnEvent(e)
	}
}

func (r *run) close() error {
	var errs []error
	if r.store != nil {
		if err := r.store.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the checkpoints: %w", err))
		}
	}
	if r.broker != nil {
		r.broker.Close()
	}
	if r.dir != nil {
		r.dir.close()
	}
	return errors.Join(errs...)
}
