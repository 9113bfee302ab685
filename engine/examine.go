package engine

import (
	"context"
	"fmt"

	"penstock/engine/doctor"
	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/task"
)

// Examine looks for what is wrong with the channels and positions of the running
// pipeline: it reads every frame of every channel once, beside the stages. The
// files of the checkpoints can be looked at only when it does not run, with package
// doctor. Safe for concurrent use.
func (p *Pipeline) Examine(ctx context.Context) (*doctor.Examination, error) {
	p.mu.Lock()
	r := p.current
	p.mu.Unlock()
	if r == nil || !r.Ready.Load() {
		return nil, fmt.Errorf("examine: pipeline %s is not running", p.plan.Name)
	}
	if r.memory != nil {
		return nil, fmt.Errorf("examine: %w", ErrInMemory)
	}
	running := doctor.Running{Dir: r.Dir.Path, Pipeline: p.plan.Name, Identity: r.identity.ID, Broker: r.broker}
	for _, in := range r.Instances {
		running.Stages = append(running.Stages, forDoctor(in))
	}
	if disk := r.Space.Status(); disk != nil && disk.State != diskspace.Enough.String() {
		running.Disk = fmt.Sprintf("it is %s: %d MiB are free and at least %d MiB are needed: free some space, and the pipeline resumes by itself", disk.State, disk.Free>>20, disk.Bound>>20)
	}
	return doctor.ExamineRunning(ctx, running)
}

// forDoctor is what the doctor asks of a stage.
func forDoctor(in *task.Instance) doctor.RunningStage {
	s := doctor.RunningStage{Name: in.StageName(), Channel: in.Channel, IsEnded: in.Phase.IsEnded}
	for k := range in.Edges {
		e := &in.Edges[k]
		s.Inputs = append(s.Inputs, doctor.RunningInput{
			Stream: e.String(), Producer: e.Producer.StageName(), Branch: e.Branch(), Partition: e.Partition(),
			Taken:   in.Progress.Taken[k].Load,
			Written: func() uint64 { return in.WrittenTo(k) },
		})
	}
	return s
}
