package engine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/inflight"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/supervise"
)

// running is what the tasks of a running pipeline have in common.
type running struct {
	plan      *plan.Pipeline
	functions map[*plan.Stage]functions
	settings  settings
	log       *slog.Logger
	clock     ports.Clock
	server    ports.Server
	letters   ports.DeadLetters
	notes     ports.Notes        // of the whole process
	dir       *datadir.Directory // nil: the run is in memory
	waits     waits              // before the stages are open, and beside them

	instances    []*instance // producers before readers
	byStage      map[*plan.Stage]*instance
	checkpointer *checkpointer
	supervisor   *supervise.Supervisor
	inflight     *inflight.File
	quarantine   *quarantine
	space        *space
	drain        drain
	sampled      sampled
	telling      sync.Mutex  // one event at a time
	ready        atomic.Bool // every instance is open

	// inBackground runs fn until it returns, with a context that ends when
	// everything has to stop. stop ends it before, and waits for it.
	inBackground func(fn func(context.Context)) (stop func())
}

// settings are those of a run that its tasks need.
type settings struct {
	dir          string
	minFree      int64
	isLazy       bool // the embedded server syncs at an interval
	drainTimeout time.Duration
	patience     time.Duration // with waits; see Config.WaitPatience
	readiness    string        // see Config.UnavailableReadiness
	tracer       Tracer
	onDeadLetter func(dlq.Letter)
	onEvent      func(supervise.Event) // nil: no observer
}

func newRunning(p *plan.Pipeline, code map[*plan.Stage]functions, clock ports.Clock, log *slog.Logger, s settings) *running {
	r := &running{
		plan:      p,
		functions: code,
		settings:  s,
		log:       log,
		clock:     clock,
		byStage:   map[*plan.Stage]*instance{},
		drain:     drain{begun: make(chan struct{})},
	}
	r.space = newSpace(r)
	return r
}
