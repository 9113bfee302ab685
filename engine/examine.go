package engine

import (
	"context"
	"fmt"

	"penstock/engine/doctor"
)

// Examine looks for what is wrong with the channels and positions of the running
// pipeline: it reads every frame of every channel once, beside the stages. The
// files of the checkpoints can be looked at only when it does not run, with package
// doctor. Safe for concurrent use.
func (p *Pipeline) Examine(ctx context.Context) (*doctor.Examination, error) {
	p.mu.Lock()
	r := p.current
	p.mu.Unlock()
	if r == nil || !r.ready.Load() {
		return nil, fmt.Errorf("examine: pipeline %s is not running", p.plan.Name)
	}
	if r.memory != nil {
		return nil, fmt.Errorf("examine: %w", ErrInMemory)
	}
	running := doctor.Running{Dir: r.dir.Path, Pipeline: p.plan.Name, Identity: r.identity.ID, Broker: r.broker}
	for _, in := range r.instances {
		running.Stages = append(running.Stages, forDoctor(in))
	}
	if disk := r.space.status(); disk != nil && disk.State != spaceNames[spaceEnough] {
		running.Disk = fmt.Sprintf("it is %s: %d MiB are free and at least %d MiB are needed: free some space, and the pipeline resumes by itself", disk.State, disk.Free>>20, disk.Bound>>20)
	}
	return doctor.ExamineRunning(ctx, running)
}

// forDoctor is what the doctor asks of a stage.
func forDoctor(in *instance) doctor.RunningStage {
	s := doctor.RunningStage{Name: in.definition.Name, Channel: in.channel, IsEnded: in.phase.isEnded}
	for k, i := range in.definition.Inputs {
		s.Inputs = append(s.Inputs, doctor.RunningInput{
			Stream: i.Stream.String(), Producer: i.Stream.Owner.Name, Branch: i.Stream.Branch,
			Taken:   in.progress.taken[k].Load,
			Written: func() uint64 { return in.writtenTo(k) },
		})
	}
	return s
}
