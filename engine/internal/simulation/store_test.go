package simulation

import (
	"context"
	"errors"

	"penstock/engine/internal/memory"
	"penstock/engine/internal/view"
)

// corner is an instance's corner of a disk, as its process sees it.
func (p *simProcess) corner(stage string) *memory.Corner {
	return p.disk.Corner(stage, func(mayWait bool) {
		if mayWait {
			p.mayYield()
		}
		p.mustLive()
	})
}

// errDisk is a write that fails.
var errDisk = errors.New("no space left")

// simSaver may be cut off anywhere.
type simSaver struct{ process *simProcess }

func (simSaver) Size() int64 { return 0 }

func (s simSaver) Save(updates []view.Update) error {
	w := s.process.world
	err := s.process.disk.Save(updates, func(isCheckpoint bool) error {
		s.process.mayYield()
		if !isCheckpoint && w.happens(w.weights.disk) {
			return s.fails()
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.counts[checkpoints]++
	for _, u := range updates {
		w.say("%s: the checkpoint of %s is at commit %d", s.process, u.Vault.(*memory.Corner).Name(), u.Checkpoint.Commit)
	}
	s.process.mayYield()
	return nil
}

func (s simSaver) fails() error {
	s.process.world.counts[diskErrors]++
	s.process.world.say("%s: a checkpoint fails half-way", s.process)
	return errDisk
}

// simServer is what the stages know of the server.
type simServer struct {
	memory.Host
	process *simProcess
}

func (s simServer) Embedded() bool { return s.process.world.embedded }

func (s simServer) SyncFiles(context.Context) error {
	s.process.mayYield()
	if w := s.process.world; w.embedded {
		for _, stream := range w.inOrder { // one file after the other
			stream.Sync()
			s.process.mayYield()
		}
	}
	return nil
}
