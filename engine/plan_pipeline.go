package engine

import (
	"errors"
	"fmt"
	"regexp"
)

// declaration is a declared pipeline.
type declaration struct {
	name     string
	stages   []*definition
	root     *group
	groups   []*group // all but the root
	branches []*streamDefinition
	mistakes []error
}

// newDeclaration is that of a pipeline without stages. A bad name is a mistake.
func newDeclaration(name string) *declaration {
	p := &declaration{name: name, root: &group{}}
	if err := checkName("pipeline", name); err != nil {
		p.mistakes = append(p.mistakes, err)
	}
	return p
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ErrWiring is wrapped by every mistake in the declaration of a pipeline.
var ErrWiring = errors.New("wiring mistake")

func checkName(what, name string) error {
	if validName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%w: %s name %q: use 1 to 64 of A-Z a-z 0-9 _ -", ErrWiring, what, name)
}

func (p *declaration) mistake(format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("%w: "+format, append([]any{ErrWiring}, args...)...))
}

func (p *declaration) stage(name string) *definition {
	for _, d := range p.stages {
		if d.name == name {
			return d
		}
	}
	return nil
}

// stageNames are those of all stages, in the order of their declaration.
func (p *declaration) stageNames() []string {
	names := make([]string, len(p.stages))
	for k, d := range p.stages {
		names[k] = d.name
	}
	return names
}
