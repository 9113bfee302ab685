package engine

import (
	"context"
	"errors"
	"sync"
)

// RunUnsupervised is Run without the supervision tree: one life for each
// stage, in a goroutine of its own. It is what supervision is measured
// against, and is only for a pipeline whose stages do not fail.
func (p *Pipeline) RunUnsupervised(ctx context.Context, config Config) error {
	config = config.withDefaults()
	r := newRun(p, config)
	err := r.open(ctx)
	if err == nil {
		err = r.serveUnsupervised(ctx)
	}
	return errors.Join(err, r.close())
}

func (r *run) serveUnsupervised(ctx context.Context) error {
	hard, cancel := context.WithCancel(ctx)
	defer cancel()
	var background, stages sync.WaitGroup
	r.inBackground = backgroundOf(hard, &background)
	for _, in := range r.instances {
		in.task.Load().startReaders()
	}
	background.Go(func() { r.checkpointer.serve(hard, &r.waits) })
	ends := make([]error, len(r.instances))
	for k, in := range r.instances {
		stages.Go(func() { ends[k] = in.task.Load().serve(hard) })
	}
	stages.Wait()
	cancel()
	background.Wait()
	if !r.byStage[r.plan.Stages[len(r.plan.Stages)-1]].phase.isEnded() {
		return errors.Join(ends...)
	}
	return r.conclude(ctx, nil)
}
