package engine

import (
	"penstock/engine/supervise"
)

// Supervise sets how the pipeline's own stages and groups are supervised, and
// returns the pipeline:
//
//	p := engine.New("orders").Supervise(engine.Group{Limit: supervise.Lenient.Limit})
func (p *Pipeline) Supervise(g Group) *Pipeline {
	p.plan.root.settings = g
	return p
}

// Group declares a group in the pipeline and returns the scope to declare its
// stages, and groups within it, in:
//
//	device := p.Group("device", engine.Group{Strategy: supervise.RestForOne})
//	samples := engine.Source(device, "sample", read)
//	means := engine.Stage(device, "mean", engine.On(samples, average))
//
// Stages start in the order in which they are declared. The names of groups
// and stages are distinct.
func (p *Pipeline) Group(name string, g Group) Scope { return newGroup(p.rootScope(), name, g) }

func (s *scoped) Group(name string, g Group) Scope { return newGroup(s, name, g) }

func newGroup(in *scoped, name string, settings Group) Scope {
	g := &group{name: name, settings: settings, parent: in.group}
	in.group.members = append(in.group.members, member{group: g})
	in.pipeline.plan.groups = append(in.pipeline.plan.groups, g)
	return &scoped{pipeline: in.pipeline, group: g, options: in.options}
}

// supervisor makes the supervision tree of a run.
func (r *run) supervisorOf(g *group) *supervise.Supervisor {
	s := &supervise.Supervisor{
		Name:       g.name,
		Strategy:   g.settings.Strategy,
		Limit:      g.settings.Limit,
		OnChildEnd: g.settings.OnChildEnd,
	}
	for _, m := range g.members {
		if m.group != nil {
			s.Children = append(s.Children, supervise.Child{
				Name:    m.group.name,
				Group:   r.supervisorOf(m.group),
				Policy:  m.group.settings.Policy,
				Backoff: m.group.settings.Backoff,
			})
			continue
		}
		s.Children = append(s.Children, r.byStage[m.stage].child())
	}
	return s
}

func (in *instance) child() supervise.Child {
	o := in.definition.options
	c := supervise.Child{
		Name:           in.definition.name,
		Serve:          in.serve,
		Policy:         o.policy,
		Backoff:        o.backoff,
		Limit:          o.limit,
		Progress:       in.progress.healthy.Load,
		Checks:         checksOf(o),
		StopTimeout:    o.stopTimeout,
		Abandon:        in.abandon,
		Recover:        in.decide,
		RecoverTimeout: o.recoverTime,
	}
	if o.deadline > 0 {
		c.Checks = append(c.Checks, in.watchdog(o.deadline))
	}
	return c
}
