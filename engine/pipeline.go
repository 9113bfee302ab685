package engine

import (
	"errors"
	"fmt"
	"regexp"
	"sync"
)

// Pipeline is a named graph of stages. Declare it with New, Source, Stage and
// Sink, then Run it.
//
// Declaring is not safe for concurrent use. A running pipeline may be asked
// for its Status and State from any goroutine.
type Pipeline struct {
	name     string
	stages   []*definition
	branches []*streamDefinition
	mistakes []error

	mu      sync.Mutex
	current *run
	final   *Status
}

// New starts the declaration of a pipeline. The name is part of the names of
// its streams and of its data directory; it matches ^[A-Za-z0-9_-]{1,64}$.
// A bad name is reported by Check and Run.
func New(name string) *Pipeline {
	p := &Pipeline{name: name}
	if err := checkName("pipeline", name); err != nil {
		p.mistakes = append(p.mistakes, err)
	}
	return p
}

// Name returns the name given to New.
func (p *Pipeline) Name() string { return p.name }

// Scope is where stages are declared: a Pipeline, or a Pipeline with options
// (see With).
type Scope interface {
	// With returns a scope whose stages have these options besides those
	// of the scope it was called on.
	With(options ...Option) Scope
	scope() (*Pipeline, options)
}

var (
	_ Scope = (*Pipeline)(nil)
	_ Scope = (*scoped)(nil)
)

// With returns a scope in which stages are declared with these options:
//
//	engine.Stage(p.With(engine.Attempts(5)), "worker", …)
func (p *Pipeline) With(options ...Option) Scope {
	return (&scoped{pipeline: p, options: defaultOptions()}).With(options...)
}

func (p *Pipeline) scope() (*Pipeline, options) { return p, defaultOptions() }

type scoped struct {
	pipeline *Pipeline
	options  options
}

func (s *scoped) With(list ...Option) Scope {
	with := s.options
	with.branches = append([]*streamDefinition(nil), with.branches...)
	for _, option := range list {
		option(&with)
	}
	return &scoped{pipeline: s.pipeline, options: with}
}

func (s *scoped) scope() (*Pipeline, options) { return s.pipeline, s.options }

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ErrWiring is wrapped by every mistake in the declaration of a pipeline.
var ErrWiring = errors.New("wiring mistake")

func checkName(what, name string) error {
	if validName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%w: %s name %q: use 1 to 64 of A-Z a-z 0-9 _ -", ErrWiring, what, name)
}

func (p *Pipeline) mistake(format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("%w: "+format, append([]any{ErrWiring}, args...)...))
}

func (p *Pipeline) stage(name string) *definition {
	for _, d := range p.stages {
		if d.name == name {
			return d
		}
	}
	return nil
}
