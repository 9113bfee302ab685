package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/internal/counted"
)

// Running is what a running pipeline tells of itself: engine.Pipeline.Examine fills it in.
type Running struct {
	Dir      string
	Pipeline string
	Identity string // of the data directory
	Broker   *broker.Broker
	Stages   []RunningStage
	Disk     string // what is wrong with the disk; "": nothing
}

// RunningStage is a stage of a running pipeline.
type RunningStage struct {
	Name    string
	Channel interface {
		Replay(ctx context.Context, from uint64, fn func(channel.Record) error) error
	}
	Inputs  []RunningInput
	IsEnded func() bool
}

// RunningInput is an input of a running stage. Taken and Written are asked in this order: both grow. Written is what
// the producer knows, which may be less than what is stored.
type RunningInput struct {
	Stream    string // as people read it
	Producer  string // the stage that writes it
	Branch    string // of the sections that it reads, with their partition
	Partition uint32
	Taken     func() uint64 // messages that the stage has taken
	Written   func() uint64 // messages that there are
}

func (i *RunningInput) destination() destination { return destination{i.Branch, i.Partition} }

// ExamineRunning is Examine for a pipeline that runs: it reads every frame of every channel once, beside the stages,
// and compares the positions with that. The files of the checkpoints are not looked at.
func ExamineRunning(ctx context.Context, r Running) (*Examination, error) {
	l := &inspection{pipeline: r.Pipeline, identity: r.Identity, stages: map[string]*channelFacts{}}
	for _, s := range r.Stages {
		if err := l.running(ctx, s); err != nil {
			return nil, fmt.Errorf("examine channel %s: %w", s.Name, err)
		}
	}
	for _, s := range r.Stages {
		if err := l.runningPositions(ctx, r, s); err != nil {
			return nil, fmt.Errorf("examine the positions of %s: %w", s.Name, err)
		}
	}
	l.checkedPositions(slices.Collect(maps.Keys(l.stages)))
	if r.Disk != "" {
		l.wrong("disk", "%s", r.Disk)
	}
	if err := r.Broker.Trouble(); err != nil {
		l.wrong("broker", "%v; it is restarted when there is space", err)
	}
	if err := l.letters(ctx, r.Broker, nil); err != nil {
		return nil, fmt.Errorf("examine: %w", err)
	}
	return &Examination{Dir: r.Dir, Pipeline: r.Pipeline, Sound: !l.isWrong(), Checked: l.checked, Findings: l.sorted()}, nil
}

func (l *inspection) running(ctx context.Context, s RunningStage) error {
	part := "channel " + s.Name
	facts := newFacts()
	l.stages[s.Name] = facts
	err := s.Channel.Replay(ctx, 1, func(r channel.Record) error {
		l.frame(part, facts, r)
		return nil
	})
	if err != nil {
		return l.refusal(part, err)
	}
	l.check("%s: %s, commits %d to %d%s", part, counted.Things(facts.frames, "frame"), facts.first, facts.last, facts.signedWith())
	return nil
}

func (l *inspection) runningPositions(ctx context.Context, r Running, s RunningStage) error {
	for _, i := range s.Inputs {
		taken, part := i.Taken(), "channel "+i.Producer
		if taken > i.Written() {
			written, err := r.written(ctx, i)
			if err != nil {
				return err
			}
			if taken > written {
				l.wrong(part, "it ends after %s, and stage %s has consumed %d: it lost its tail", counted.Things(written, "message"), s.Name, taken)
			}
		}
		if facts := l.stages[i.Producer]; facts.gaps[i.destination()] > taken && !s.IsEnded() {
			l.wrong(part, "stage %s has consumed %s of %s, and some before offset %d are missing", s.Name, counted.Things(taken, "message"), i.Stream, facts.gaps[i.destination()])
		}
	}
	return nil
}

// written reads from the channel how many messages of an input there are. A reader may have taken some before their
// producer knows that they are stored.
func (r Running) written(ctx context.Context, i RunningInput) (n uint64, err error) {
	for _, s := range r.Stages {
		if s.Name != i.Producer {
			continue
		}
		err = s.Channel.Replay(ctx, 1, func(rec channel.Record) error {
			for k := range rec.Frame.Sections {
				if section := &rec.Frame.Sections[k]; of(section) == i.destination() {
					n = section.Next()
				}
			}
			return nil
		})
	}
	return n, err
}
