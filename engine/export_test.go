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
	r.InBackground = backgroundOf(hard, &background)
	for _, in := range r.Instances {
		in.Task.Load().StartReaders()
	}
	background.Go(func() { r.Checkpointer.Serve(hard, &r.Waits) })
	ends := make([]error, len(r.Instances))
	for k, in := range r.Instances {
		stages.Go(func() { ends[k] = in.Task.Load().Serve(hard) })
	}
	stages.Wait()
	cancel()
	background.Wait()
	for _, in := range r.InstancesOf(r.Plan.Stages[len(r.Plan.Stages)-1].Name) {
		if !in.Phase.IsEnded() {
			return errors.Join(ends...)
		}
	}
	return r.Conclude(ctx, nil)
}
