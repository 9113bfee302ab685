package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/quarantine"
	"penstock/engine/internal/view"
)

// ErrInMemory says that a run in memory does not have what was asked for: no server, no data directory.
var ErrInMemory = errors.New("the pipeline runs in memory, without a server and a data directory")

// checkMemory refuses what a run in memory would not do.
func (c Config) checkMemory() error {
	switch {
	case c.Memory == nil:
	case c.NATS.URL != "":
		return errors.New("Config.Memory and Config.NATS.URL are both set: a run in memory has no server; leave one of them out")
	case c.Dir != "":
		return errors.New("Config.Memory and Config.Dir are both set: a run in memory has no data directory; leave one of them out")
	case len(c.FrameKeys) > 0:
		return errors.New("Config.Memory and Config.FrameKeys are both set: no other program can write to a run in memory; leave one of them out")
	case c.DeadLetterBytes != 0, c.DeadLetterCount != 0, c.DeadLetterAge != 0:
		return errors.New("Config.Memory and a limit of the dead letters (Config.DeadLetterBytes, Config.DeadLetterCount, Config.DeadLetterAge) are both set: they have none in memory; leave one of them out")
	}
	return nil
}

// openInMemory does what open does with a server and files.
func (r *run) openInMemory(ctx context.Context) error {
	if err := r.config.Memory.Open(r.Plan.Name); err != nil {
		return err
	}
	r.memory = r.config.Memory
	if err := r.startOverInMemory(ctx); err != nil {
		return err
	}
	r.identity = datadir.NewIdentity(r.Plan.Name)
	r.Identity = r.memory.Identity(r.identity.ID)
	r.Server, r.Letters = memory.Host{}, r.memory.Letters()
	r.Checkpointer = r.newCheckpointer(diskSaver{r.memory.Disk()})
	for _, d := range r.Plan.Order() {
		d.Lay(plan.Layout{})
		if err := r.memory.Divide(d.Name, d.Width()); err != nil {
			return otherPartitions(err)
		}
		for _, id := range d.Instances() {
			r.AddInstance(d, id, r.memory.Store(id.String()), memory.MaxPayload)
		}
	}
	for _, in := range r.Instances {
		in.Channel = r.memory.Log(in.ID)
		if err := in.Open(ctx); err != nil {
			return err
		}
	}
	if err := r.CheckPositions(); err != nil {
		return err
	}
	r.Quarantine = quarantine.Off() // a death of the process takes the memory, too
	r.opened()
	r.memory.Began(r.states)
	return nil
}

// states reads those of a stage, also when the run is over: they are in memory.
func (r *run) states(stage string, fn func(key string, state json.RawMessage) error) error {
	instances := r.InstancesOf(stage)
	if len(instances) == 0 {
		return fmt.Errorf("%w: pipeline %s has no stage %q", ErrNoState, r.Plan.Name, stage)
	}
	return eachState(instances, fn)
}

// startOverInMemory is startOver without what a process that died has left.
func (r *run) startOverInMemory(ctx context.Context) error {
	letters := r.memory.Letters()
	if !r.config.Fresh {
		if !r.memory.IsComplete(ctx, r.Plan.Instances()) || letters.Pending() > 0 {
			return nil
		}
		if n := len(letters.List()); n > 0 && !r.config.DiscardLetters {
			return fmt.Errorf("%w: pipeline %s is complete, and its next run would delete %d; set Config.DiscardLetters, or use a new memory",
				ErrLettersLeft, r.Plan.Name, n)
		}
	}
	r.memory.Clear()
	return nil
}

// diskSaver is the saver of a run in memory.
type diskSaver struct{ disk *memory.Disk }

var _ checkpointer.Saver = diskSaver{}

func (s diskSaver) Save(updates []view.Update) error {
	return s.disk.Save(updates, func(bool) error { return nil })
}

func (diskSaver) Size() int64 { return 0 }
