package engine

import (
	"context"
	"fmt"

	"penstock/engine/channel"
)

// Examine looks for what is wrong with the channels and positions of the running
// pipeline: it reads every frame of every channel once, beside the stages. The
// files of the checkpoints can be looked at only when it does not run. Safe for
// concurrent use.
func (p *Pipeline) Examine(ctx context.Context) (*Examination, error) {
	p.mu.Lock()
	r := p.current
	p.mu.Unlock()
	if r == nil || !r.ready.Load() {
		return nil, fmt.Errorf("examine: pipeline %s is not running", p.plan.Name)
	}
	if r.memory != nil {
		return nil, fmt.Errorf("examine: %w", ErrInMemory)
	}
	l := &look{pipeline: p.plan.Name, identity: r.identity.ID, stages: map[string]*channelFacts{}}
	for _, in := range r.instances {
		if err := l.live(ctx, in); err != nil {
			return nil, fmt.Errorf("examine channel %s: %w", in.definition.Name, err)
		}
	}
	for _, in := range r.instances {
		l.livePositions(in)
	}
	l.check("positions of %d stages", len(r.instances))
	if disk := r.space.status(); disk != nil && disk.State != spaceNames[spaceEnough] {
		l.wrong("disk", "it is %s: %d MiB are free and %d have to be: free some, and all goes on by itself", disk.State, disk.Free>>20, disk.Bound>>20)
	}
	if err := r.broker.Trouble(); err != nil {
		l.wrong("broker", "%v; it is started anew when there is space", err)
	}
	if err := l.letters(ctx, r.broker, nil); err != nil {
		return nil, fmt.Errorf("examine: %w", err)
	}
	return &Examination{Dir: r.dir.Path, Pipeline: p.plan.Name, Sound: !l.isWrong(), Checked: l.checked, Findings: l.sorted()}, nil
}

func (l *look) live(ctx context.Context, in *instance) error {
	part := "channel " + in.definition.Name
	facts := newFacts()
	l.stages[in.definition.Name] = facts
	err := in.channel.Replay(ctx, 1, func(r channel.Record) error {
		l.frame(part, facts, r)
		return nil
	})
	if err != nil {
		return l.refusal(part, err)
	}
	l.check("%s: %d frames, commits %d to %d%s", part, facts.frames, facts.first, facts.last, facts.sealedWith())
	return nil
}

// livePositions looks at what is taken first and at what there is to take then:
// both grow.
func (l *look) livePositions(in *instance) {
	for k, i := range in.definition.Inputs {
		taken, part := in.progress.taken[k].Load(), "channel "+i.Stream.Owner.Name
		if written := in.writtenTo(k); taken > written {
			l.wrong(part, "it ends after %d messages, and stage %s has taken %d: it lost its tail", written, in.definition.Name, taken)
		}
		if facts := l.stages[i.Stream.Owner.Name]; facts.gaps[i.Stream.Branch] > taken && !in.phase.isEnded() {
			l.wrong(part, "stage %s has taken %d messages of %s, and some before offset %d are missing", in.definition.Name, taken, i.Stream, facts.gaps[i.Stream.Branch])
		}
	}
}
