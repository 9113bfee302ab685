package engine

import (
	"sync"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
	"penstock/engine/observe"
)

// Pipeline is a named graph of stages. Declare it with New, Source, Stage and
// Sink, then Run it.
//
// Declaring is not safe for concurrent use. A running pipeline may be asked
// for its Status and State from any goroutine.
type Pipeline struct {
	plan  *plan.Pipeline
	codes map[*plan.Stage]task.Functions // what the plan does not know: the functions

	subscribers subscribers

	mu      sync.Mutex
	current *run
	final   *observe.Status
}

// New starts the declaration of a pipeline. The name is part of the names of
// its streams and of its data directory; it matches ^[A-Za-z0-9_-]{1,64}$.
// A bad name is reported by Check and Run.
func New(name string) *Pipeline {
	return &Pipeline{plan: plan.New(name), codes: map[*plan.Stage]task.Functions{}}
}

// Name returns the name given to New.
func (p *Pipeline) Name() string { return p.plan.Name }

// ErrWiring is wrapped by every mistake in the declaration of a pipeline.
var ErrWiring = plan.ErrWiring

// Check reports every mistake in the declaration at once, or nil. Run calls
// it before anything starts.
func (p *Pipeline) Check() error { return p.plan.Check() }

// Scope is where stages are declared: a Pipeline, a Group of it, or either
// with options.
type Scope interface {
	// With returns a scope whose stages have these options besides those
	// of the scope it was called on.
	With(options ...Option) Scope
	// Group declares a group of stages; see Pipeline.Group. Its stages have
	// the options of the scope it was called on.
	Group(name string, g Group) Scope
	scope() *scoped
}

var (
	_ Scope = (*Pipeline)(nil)
	_ Scope = (*scoped)(nil)
)

// With returns a scope in which stages are declared with these options:
//
//	engine.Stage(p.With(engine.Attempts(5)), "worker", …)
func (p *Pipeline) With(options ...Option) Scope {
	return p.rootScope().With(options...)
}

func (p *Pipeline) scope() *scoped { return p.rootScope() }

func (p *Pipeline) rootScope() *scoped {
	return &scoped{pipeline: p, group: p.plan.Root, options: plan.Defaults()}
}

type scoped struct {
	pipeline *Pipeline
	group    *plan.Group
	options  plan.Options
}

func (s *scoped) With(list ...Option) Scope {
	with := s.options
	with.Branches = append([]*plan.Stream(nil), with.Branches...)
	for _, option := range list {
		option(&with)
	}
	return &scoped{pipeline: s.pipeline, group: s.group, options: with}
}

func (s *scoped) scope() *scoped { return s }
