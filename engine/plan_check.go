package engine

import (
	"errors"
	"fmt"
	"strings"
)

// check reports every mistake at once, or nil.
func (p *declaration) check() error {
	mistakes := append([]error(nil), p.mistakes...)
	say := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%w: "+format, append([]any{ErrWiring}, args...)...))
	}
	if len(p.stages) == 0 {
		say("pipeline %q has no stages", p.name)
	}
	p.checkNames(say)
	p.checkGroups(say)
	p.checkOwners(say)
	for _, d := range p.stages {
		d.check(say)
	}
	p.checkReaders(say)
	if len(mistakes) == 0 {
		p.checkCycles(say)
	}
	return errors.Join(mistakes...)
}

type sayFunc func(format string, args ...any)

func (p *declaration) checkNames(say sayFunc) {
	seen := map[string]bool{}
	for _, d := range p.stages {
		if err := checkName("stage", d.name); err != nil {
			say("%s", strings.TrimPrefix(err.Error(), ErrWiring.Error()+": "))
		}
		if seen[d.name] {
			say("two stages are named %q: rename one of them", d.name)
		}
		seen[d.name] = true
	}
}

func (p *declaration) checkGroups(say sayFunc) {
	seen := map[string]bool{}
	for _, g := range p.groups {
		if err := checkName("group", g.name); err != nil {
			say("%s", strings.TrimPrefix(err.Error(), ErrWiring.Error()+": "))
		}
		if seen[g.name] {
			say("two groups are named %q: rename one of them", g.name)
		}
		seen[g.name] = true
		if p.stage(g.name) != nil {
			say("a group and a stage are named %q: rename one of them", g.name)
		}
		if len(g.members) == 0 {
			say("group %q has no stages", g.name)
		}
	}
}

func (p *declaration) checkOwners(say sayFunc) {
	for _, branch := range p.branches {
		if err := checkName("branch", branch.branch); err != nil {
			say("%s", strings.TrimPrefix(err.Error(), ErrWiring.Error()+": "))
		}
		if branch.owner == nil {
			say("branch %q belongs to no stage: declare its stage with p.With(engine.Branches(…))", branch.branch)
		}
	}
	for _, d := range p.stages {
		seen := map[string]bool{}
		for _, branch := range d.destinations() {
			if seen[branch.branch] {
				say("stage %q has two branches named %q", d.name, branch.branch)
			}
			seen[branch.branch] = true
		}
	}
}

func (p *declaration) checkReaders(say sayFunc) {
	for _, d := range p.stages {
		for _, stream := range d.destinations() {
			if len(stream.readers) == 0 && !stream.discarded {
				say("the stream %s is read by nobody: add a reader, or say engine.Discard if that is meant", stream)
			}
		}
	}
}

func (d *definition) check(say sayFunc) {
	if d.kind != KindSource && len(d.inputs) == 0 {
		say("stage %q reads no stream: give it an engine.On", d.name)
	}
	if d.kind == KindSource && len(d.inputs) > 0 {
		say("source %q reads a stream: declare it with engine.Stage", d.name)
	}
	if d.kind == KindSource && len(d.timers) > 0 {
		say("source %q has a timer: wait in its function instead of engine.Every", d.name)
	}
	keyed := 0
	seen := map[*streamDefinition]bool{}
	for _, in := range d.inputs {
		if in.stream.pipeline != d.pipeline {
			say("stage %q reads the stream %s of another pipeline", d.name, in.stream)
		}
		if seen[in.stream] {
			say("stage %q reads the stream %s twice: handle it in one engine.On", d.name, in.stream)
		}
		seen[in.stream] = true
		if in.keyed {
			keyed++
		}
	}
	if keyed > 0 && keyed < len(d.inputs) {
		say("stage %q reads %d of %d streams by key: its state is either one or one per key", d.name, keyed, len(d.inputs))
	}
	if keyed > 0 && len(d.timers) > 0 {
		say("stage %q is keyed and has a timer: engine.Every needs a state of the stage", d.name)
	}
	for _, problem := range d.problems {
		say("stage %q: %v", d.name, problem)
	}
}

// checkCycles finds a stage that reads, directly or not, what it writes.
// Only branches make that possible: they exist before their stage.
func (p *declaration) checkCycles(say sayFunc) {
	const (
		unseen = iota
		open
		done
	)
	mark := map[*definition]int{}
	var path []string
	var visit func(d *definition) bool
	visit = func(d *definition) bool {
		path = append(path, d.name)
		defer func() { path = path[:len(path)-1] }()
		switch mark[d] {
		case done:
			return false
		case open:
			say("the stages form a cycle: %s", strings.Join(path, " <- "))
			return true
		}
		mark[d] = open
		for _, in := range d.inputs {
			if visit(in.stream.owner) {
				return true
			}
		}
		mark[d] = done
		return false
	}
	for _, d := range p.stages {
		if visit(d) {
			return
		}
	}
}

// order returns the stages so that every producer stands before its readers.
func (p *declaration) order() []*definition {
	var list []*definition
	seen := map[*definition]bool{}
	var visit func(d *definition)
	visit = func(d *definition) {
		if seen[d] {
			return
		}
		seen[d] = true
		for _, in := range d.inputs {
			visit(in.stream.owner)
		}
		list = append(list, d)
	}
	for _, d := range p.stages {
		visit(d)
	}
	return list
}
