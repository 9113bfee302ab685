package plan

import (
	"errors"
	"fmt"
	"strings"
)

// Check reports every mistake at once, or nil.
func (p *Pipeline) Check() error {
	mistakes := append([]error(nil), p.mistakes...)
	say := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%w: "+format, append([]any{ErrWiring}, args...)...))
	}
	if len(p.Stages) == 0 {
		say("pipeline %q has no stages", p.Name)
	}
	p.checkNames(say)
	p.checkGroups(say)
	p.checkOwners(say)
	for _, d := range p.Stages {
		d.Check(say)
	}
	p.checkReaders(say)
	if len(mistakes) == 0 {
		p.checkCycles(say)
	}
	return errors.Join(mistakes...)
}

type sayFunc func(format string, args ...any)

func (p *Pipeline) checkNames(say sayFunc) {
	seen := map[string]bool{}
	for _, d := range p.Stages {
		if err := CheckName("stage", d.Name); err != nil {
			say("%s", strings.TrimPrefix(err.Error(), ErrWiring.Error()+": "))
		}
		if seen[d.Name] {
			say("two stages are named %q: rename one of them", d.Name)
		}
		seen[d.Name] = true
	}
}

func (p *Pipeline) checkGroups(say sayFunc) {
	seen := map[string]bool{}
	for _, g := range p.Groups {
		if err := CheckName("group", g.Name); err != nil {
			say("%s", strings.TrimPrefix(err.Error(), ErrWiring.Error()+": "))
		}
		if seen[g.Name] {
			say("two groups are named %q: rename one of them", g.Name)
		}
		seen[g.Name] = true
		if p.Stage(g.Name) != nil {
			say("a group and a stage are named %q: rename one of them", g.Name)
		}
		if len(g.Members) == 0 {
			say("group %q has no stages", g.Name)
		}
	}
}

func (p *Pipeline) checkOwners(say sayFunc) {
	for _, branch := range p.Branches {
		if err := CheckName("branch", branch.Branch); err != nil {
			say("%s", strings.TrimPrefix(err.Error(), ErrWiring.Error()+": "))
		}
		if branch.Owner == nil {
			say("branch %q belongs to no stage: declare its stage with p.With(engine.Branches(…))", branch.Branch)
		}
	}
	for _, d := range p.Stages {
		seen := map[string]bool{}
		for _, branch := range d.Streams() {
			if seen[branch.Branch] {
				say("stage %q has two branches named %q", d.Name, branch.Branch)
			}
			seen[branch.Branch] = true
		}
	}
}

func (p *Pipeline) checkReaders(say sayFunc) {
	for _, d := range p.Stages {
		for _, stream := range d.Streams() {
			if len(stream.Readers) == 0 && !stream.Discarded {
				say("the stream %s has no reader: add one, or declare engine.Discard(…) if that is intended", stream)
			}
		}
	}
}

func (d *Stage) Check(say sayFunc) {
	if d.Kind != KindSource && len(d.Inputs) == 0 {
		say("stage %q reads no stream: give it an engine.On", d.Name)
	}
	if d.Kind == KindSource && len(d.Inputs) > 0 {
		say("source %q reads a stream: declare it with engine.Stage", d.Name)
	}
	if d.Kind == KindSource && len(d.Timers) > 0 {
		say("source %q has a timer: wait in its function instead of engine.Every", d.Name)
	}
	keyed := 0
	seen := map[*Stream]bool{}
	for _, in := range d.Inputs {
		if in.Stream.Pipeline != d.Pipeline {
			say("stage %q reads the stream %s of another pipeline", d.Name, in.Stream)
		}
		if seen[in.Stream] {
			say("stage %q reads the stream %s twice: handle it in one engine.On", d.Name, in.Stream)
		}
		seen[in.Stream] = true
		if in.Key != nil {
			keyed++
		}
	}
	if keyed > 0 && keyed < len(d.Inputs) {
		say("stage %q reads %d of %d streams by key: a stage is keyed for all its inputs or for none", d.Name, keyed, len(d.Inputs))
	}
	if keyed > 0 && len(d.Timers) > 0 {
		say("stage %q is keyed and has an engine.Every timer, which needs an unkeyed state", d.Name)
	}
	d.checkPartitions(say)
	for _, problem := range d.Problems {
		say("stage %q: %v", d.Name, problem)
	}
}

// checkCycles finds a stage that reads, directly or not, what it writes.
// Only branches make that possible: they exist before their stage.
func (p *Pipeline) checkCycles(say sayFunc) {
	const (
		unseen = iota
		open
		done
	)
	mark := map[*Stage]int{}
	var path []string
	var visit func(d *Stage) bool
	visit = func(d *Stage) bool {
		path = append(path, d.Name)
		defer func() { path = path[:len(path)-1] }()
		switch mark[d] {
		case done:
			return false
		case open:
			say("the stages form a cycle: %s", strings.Join(path, " <- "))
			return true
		}
		mark[d] = open
		for _, in := range d.Inputs {
			if visit(in.Stream.Owner) {
				return true
			}
		}
		mark[d] = done
		return false
	}
	for _, d := range p.Stages {
		if visit(d) {
			return
		}
	}
}

// Order returns the stages so that every producer stands before its readers.
func (p *Pipeline) Order() []*Stage {
	var list []*Stage
	seen := map[*Stage]bool{}
	var visit func(d *Stage)
	visit = func(d *Stage) {
		if seen[d] {
			return
		}
		seen[d] = true
		for _, in := range d.Inputs {
			visit(in.Stream.Owner)
		}
		list = append(list, d)
	}
	for _, d := range p.Stages {
		visit(d)
	}
	return list
}
