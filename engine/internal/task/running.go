package task

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/inflight"
	"penstock/engine/internal/logsample"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/quarantine"
	"penstock/engine/internal/waits"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
	"penstock/engine/trace"
)

// running is what the tasks of a running pipeline have in common.
type Run struct {
	Plan      *plan.Pipeline
	functions map[*plan.Stage]Functions
	Settings  Settings
	Log       *slog.Logger
	Clock     ports.Clock
	Backends
	Waits waits.Set // before the stages are open, and beside them

	Instances    []*Instance // producers before readers
	Checkpointer *checkpointer.Checkpointer
	Supervisor   *supervise.Supervisor
	Inflight     *inflight.File
	Quarantine   *quarantine.Mode
	Space        *diskspace.Watch
	drain        drain
	Sampled      logsample.Sampler
	telling      sync.Mutex  // one event at a time
	Ready        atomic.Bool // every instance is open
	Serving
}

// Backends are what keeps the data of a run.
type Backends struct {
	Server  ports.Server
	Letters ports.DeadLetters
	Notes   ports.Notes        // of the whole process
	Dir     *datadir.Directory // nil: the run is in memory

	Identity string // of the data and its channels: another one after each start from the beginning

	// Moving are the layouts that a change of this directory was about to lead to when its process died. What it had
	// retired goes on: see checkRetired.
	Moving map[string]plan.Layout
}

// Serving is what a run has while its stages are served.
type Serving struct {
	// OnTakenOver is told that a stage lost its owner here. It must not block.
	OnTakenOver func(*FencedError)
	// InBackground runs fn until it returns, with a context that ends when
	// everything has to stop. stop ends it before, and waits for it.
	InBackground func(fn func(context.Context)) (stop func())
}

// Settings are those of a run that its tasks need.
type Settings struct {
	Dir          string
	MinFree      int64
	IsLazy       bool // the embedded server syncs at an interval
	DrainTimeout time.Duration
	Patience     time.Duration // with waits; see Config.WaitPatience
	Readiness    string        // see Config.UnavailableReadiness
	Tracer       trace.Tracer
	Words        remedy.Words // nil: those of the library
	OnDeadLetter func(dlq.Letter)
	OnEvent      func(supervise.Event) // nil: no observer
}

// Explain is the text of an error for people who know the program, and perhaps no Go.
func (r *Run) Explain(err error) string { return remedy.Explain(err, r.Settings.Words) }

func New(p *plan.Pipeline, code map[*plan.Stage]Functions, clock ports.Clock, log *slog.Logger, s Settings) *Run {
	r := &Run{
		Plan:      p,
		functions: code,
		Settings:  s,
		Log:       log,
		Clock:     clock,
		drain:     drain{begun: make(chan struct{})},
	}
	r.Space = newSpace(r)
	return r
}

// NewCheckpointer is that of the instances that the run gets.
func (r *Run) NewCheckpointer(to checkpointer.Saver) *checkpointer.Checkpointer {
	return &checkpointer.Checkpointer{
		Saver: to, Pipeline: r, Server: r.Server, Log: r.Log, Lines: &r.Sampled, Kicked: make(chan struct{}, 1),
	}
}

// InstancesOf are those of a stage.
func (r *Run) InstancesOf(stage string) (list []*Instance) {
	for _, in := range r.Instances {
		if in.ID.Stage == stage {
			list = append(list, in)
		}
	}
	return list
}

// ByStage gives the instances of each stage, producers before readers.
func (r *Run) ByStage() iter.Seq[[]*Instance] {
	return func(yield func([]*Instance) bool) {
		for first, k := 0, 1; k <= len(r.Instances); k++ {
			if k < len(r.Instances) && r.Instances[k].ID.Stage == r.Instances[first].ID.Stage {
				continue
			}
			if !yield(r.Instances[first:k:k]) {
				return
			}
			first = k
		}
	}
}

// InstanceOf is the one with an id, or nil.
func (r *Run) InstanceOf(id plan.InstanceID) *Instance {
	for _, in := range r.Instances {
		if in.ID == id {
			return in
		}
	}
	return nil
}

// Named is the one with the name of a stage, or of an instance of one that has partitions; see Instance.StageName.
func (r *Run) Named(name string) *Instance {
	for _, in := range r.Instances {
		if in.StageName() == name {
			return in
		}
	}
	return nil
}
