package plan

import (
	"errors"
	"fmt"
	"regexp"
)

// Pipeline is a declared pipeline: its stages and groups in the order of their declaration.
type Pipeline struct {
	Name     string
	Stages   []*Stage
	Root     *Group
	Groups   []*Group // all but the root
	Branches []*Stream
	mistakes []error
}

// New is a pipeline without stages. A bad name is a mistake, which Check reports.
func New(name string) *Pipeline {
	p := &Pipeline{Name: name, Root: &Group{}}
	if err := CheckName("pipeline", name); err != nil {
		p.mistakes = append(p.mistakes, err)
	}
	return p
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ErrWiring is wrapped by every mistake in the declaration of a pipeline.
var ErrWiring = errors.New("wiring mistake")

// CheckName refuses what cannot be part of a subject or of a path.
func CheckName(what, name string) error {
	if validName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%w: %s name %q: use 1 to 64 of A-Z a-z 0-9 _ -", ErrWiring, what, name)
}

// Mistake adds one to what Check reports.
func (p *Pipeline) Mistake(format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("%w: "+format, append([]any{ErrWiring}, args...)...))
}

// Stage is the one of that name, or nil.
func (p *Pipeline) Stage(name string) *Stage {
	for _, d := range p.Stages {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Instances are those of all stages.
func (p *Pipeline) Instances() (list []InstanceID) {
	for _, d := range p.Stages {
		list = append(list, d.Instances()...)
	}
	return list
}

// StageNames are those of all stages, in the order of their declaration.
func (p *Pipeline) StageNames() []string {
	names := make([]string, len(p.Stages))
	for k, d := range p.Stages {
		names[k] = d.Name
	}
	return names
}
