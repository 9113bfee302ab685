package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
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
// When ctx is done the sources stop, the other stages handle what is there for
// up to Config.DrainTimeout, and Run returns nil; Status tells whether the run
// is complete. A stage function that does not return even then, within five
// seconds more, is abandoned and named in a *supervise.AbandonedError. Any other
// end is an error too. None loses anything.
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
		in.saveStats()
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
