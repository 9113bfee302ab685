package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/layout"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// run is one Run of a pipeline.
type run struct {
	*task.Run
	pipeline     *Pipeline
	config       Config
	broker       *broker.Broker  // nil: the run is in memory
	memory       *memory.Backend // nil: there are a server and a directory
	keys         *frame.Keys     // nil: frames are not authenticated
	store        *checkpoint.Store
	queue        *dlq.Queue
	lettersEnd   uint64 // no later one is in the files
	identity     datadir.Identity
	releaseFiles func() // to listeners of the process; nil: none are reserved
	started      time.Time
	layout       layout.Note // in which instances the stages run, as the directory has it
	reopened     bool        // the last run was complete: this one handles what it left
	wasLazy      bool        // the process before let the embedded server sync at an interval
}

func newRun(p *Pipeline, config Config) *run {
	return &run{
		Run: task.New(p.plan, p.codes, ports.RealTime{}, config.Logger.With("pipeline", p.plan.Name), task.Settings{
			Dir:          config.Dir,
			MinFree:      config.MinFree,
			IsLazy:       config.Sync > 0 && config.NATS.URL == "",
			DrainTimeout: config.DrainTimeout,
			Patience:     config.WaitPatience,
			Readiness:    config.UnavailableReadiness,
			Tracer:       config.Tracer,
			Words:        config.Words,
			OnDeadLetter: config.OnDeadLetter,
			OnEvent: func(e supervise.Event) {
				p.subscribers.tell(e)
				if config.OnEvent != nil {
					config.OnEvent(e)
				}
			},
		}),
		pipeline: p,
		config:   config,
		started:  time.Now(),
	}
}

// ErrRunning says that the pipeline is running already.
var ErrRunning = errors.New("the pipeline is running already")

// Run runs the pipeline until every stage has ended, and then returns nil. A
// run that was interrupted, by whatever, goes on where it was; one that had
// completed starts anew, unless its process died before Run returned: then
// that was not reported, and Run returns nil at once.
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
	if err := config.check(); err != nil {
		return fmt.Errorf("run pipeline %s: %w", p.plan.Name, err)
	}
	again, err := p.runOnce(ctx, config)
	for again {
		// OnReady was called, and OnStop is owed, whatever becomes of the next one.
		stop := sync.OnceFunc(func() {
			if config.OnStop != nil {
				config.OnStop()
			}
		})
		next := config
		next.OnReady, next.OnStop = nil, stop
		again, err = p.runOnce(ctx, next)
		if !again {
			stop()
		}
	}
	return err
}

// runOnce opens everything and runs it. again says that it has changed the number of partitions, and nothing else: the
// run has to be opened anew.
func (p *Pipeline) runOnce(ctx context.Context, config Config) (again bool, err error) {
	r := newRun(p, config)
	if !p.begin(r) {
		return false, fmt.Errorf("run pipeline %s: %w", p.plan.Name, ErrRunning)
	}
	defer p.finish(r)
	stop := r.WatchWaits()
	err = r.open(ctx)
	switch {
	case err == nil && len(r.changes()) > 0:
		again, err = r.change(ctx, r.changes())
	case err == nil:
		err = r.serve(ctx)
	case endedBy(ctx, err): // there is nothing to drain yet
		err = nil
	}
	stop()
	r.Sampled.Flush(r.Clock.Now(), true)
	err = errors.Join(err, r.close())
	return again && err == nil, err
}

// endedBy tells whether err is no more than that ctx is done.
func endedBy(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || supervise.Is(err, context.Cause(ctx)))
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
	if err := r.begin(ctx); err != nil {
		return err
	}
	if stop := r.config.OnStop; stop != nil {
		defer stop()
	}
	return r.work(ctx)
}

// begin comes when every stage is open, and before any starts.
func (r *run) begin(ctx context.Context) error {
	if ready := r.config.OnReady; ready != nil {
		if err := ready(); err != nil {
			return err
		}
	}
	if err := r.own(ctx); err != nil {
		return err
	}
	for _, in := range r.Instances {
		in.Task.Load().SayResuming()
	}
	return nil
}

// work has the stages work until they have ended or stopped.
func (r *run) work(ctx context.Context) error {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var background sync.WaitGroup
	r.InBackground = backgroundOf(hard, &background)
	for _, in := range r.Instances {
		if !in.Phase.IsEnded() {
			in.Task.Load().StartReaders()
		}
	}
	taken := takeover{stop: cancel}
	r.OnTakenOver = taken.note
	background.Go(func() { r.Checkpointer.Serve(hard, &r.Waits) })
	background.Go(func() { r.Quarantine.Serve(hard) })
	background.Go(func() { r.WatchSpace(hard) })
	stopHints, err := r.Letters.OnReplay(r.HintReplay)
	if err != nil {
		return fmt.Errorf("listen for replays: %w", err)
	}
	defer stopHints()

	drained := make(chan struct{})
	background.Go(func() { r.WatchDrain(ctx, drained, cancel) })

	err = taken.end(r.Supervisor.Serve(hard))
	close(drained)
	cancel()
	background.Wait()
	for _, in := range r.Instances {
		if s := in.Task.Load(); s != nil {
			s.Traces.Leave(nil)
		}
	}
	faultpoint.Hit(faultpoint.AllStopped, "")
	return r.Conclude(ctx, err)
}

// backgroundOf runs functions beside the stages until ctx is done or stop is
// called, which waits.
func backgroundOf(ctx context.Context, all *sync.WaitGroup) func(fn func(context.Context)) (stop func()) {
	return func(fn func(context.Context)) (stop func()) {
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		all.Go(func() {
			defer close(ended)
			fn(ctx)
		})
		return func() { cancel(); <-ended }
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
	if r.memory != nil {
		r.memory.Close()
	}
	// Last: only then the end is an orderly one. Badger may take the process down as it closes on a full disk, and a run
	// that is complete would start anew.
	errs = append(errs, r.Inflight.Close())
	if r.Dir != nil {
		r.Dir.Close()
	}
	if r.releaseFiles != nil {
		r.releaseFiles()
	}
	return errors.Join(errs...)
}
