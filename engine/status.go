package engine

import (
	"time"
)

// Status is what a pipeline is doing, or did.
type Status struct {
	Pipeline  string        `json:"pipeline"`
	Completed bool          `json:"completed"` // every stage has ended
	Elapsed   time.Duration `json:"-"`         // since Run began
	Stages    []StageStatus `json:"stages"`    // producers before readers
}

// StageStatus is what a stage is doing, or did. Counts are totals since the
// pipeline's fresh start, across restarts of the process, unless they say
// otherwise.
type StageStatus struct {
	Name        string        `json:"name"`
	Kind        Kind          `json:"kind"`
	Ended       bool          `json:"ended"`
	In          uint64        `json:"in"`           // messages taken
	Out         uint64        `json:"out"`          // messages emitted
	Commits     uint64        `json:"commits"`      // frames, fences included
	Epoch       uint64        `json:"epoch"`        // owners so far
	Starts      uint64        `json:"starts"`       // of the stage's functions
	Restarts    uint64        `json:"restarts"`     // after faults
	Panics      uint64        `json:"panics"`       //
	Errors      uint64        `json:"errors"`       // faults that were no panics
	DeadLetters uint64        `json:"dead_letters"` // messages diverted
	Lag         uint64        `json:"lag"`          // messages committed upstream and not taken
	Busy        time.Duration `json:"-"`            // inside the stage's functions, in this process
	BusySeconds float64       `json:"busy_seconds"` // the same
}

// Status returns the state of the run under way, else of the last one in this
// process. Safe for concurrent use.
func (p *Pipeline) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.current != nil:
		return p.current.status()
	case p.final != nil:
		return *p.final
	}
	return Status{Pipeline: p.name}
}

func (r *run) status() Status {
	s := Status{Pipeline: r.pipeline.name, Elapsed: time.Since(r.started)}
	if !r.ready.Load() {
		return s
	}
	s.Completed = true
	for _, in := range r.instances {
		stage := in.status()
		s.Completed = s.Completed && stage.Ended
		s.Stages = append(s.Stages, stage)
	}
	return s
}

func (in *instance) status() StageStatus {
	control, _ := in.committed.last()
	s := StageStatus{
		Name:        in.definition.name,
		Kind:        in.definition.kind,
		Ended:       in.isEnded.Load(),
		Out:         in.emitted(),
		Commits:     control.Commit,
		Epoch:       control.Epoch,
		Starts:      in.stats.Starts.Load(),
		Restarts:    in.stats.Restarts.Load(),
		Panics:      in.stats.Panics.Load(),
		Errors:      in.stats.Errors.Load(),
		DeadLetters: in.stats.DeadLetters.Load(),
		Busy:        time.Duration(in.stats.Busy.Load()),
	}
	s.BusySeconds = s.Busy.Seconds()
	for _, i := range in.inputs {
		taken := i.taken.Load()
		s.In += taken
		if written := i.written(); written > taken {
			s.Lag += written - taken
		}
	}
	return s
}
