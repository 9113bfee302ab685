package engine

import (
	"penstock/engine/supervise"
)

// Group says how stages that belong together are supervised. Its zero value
// restarts each on its own. A pipeline is the root group; see
// Pipeline.Supervise and Pipeline.Group.
type Group struct {
	// Strategy says which stages of the group restart when one fails.
	// Default supervise.OneForOne: only that one.
	Strategy supervise.Strategy
	// Limit bounds the restarts of all stages of the group together, other
	// than those with a RestartLimit of their own. Default 5 in 60 s. The
	// next failure makes the group fail, and its parent decides by its own
	// strategy and limit; for the root the pipeline stops with the failure.
	Limit supervise.Limit
	// Policy and Backoff are for restarting the group as a whole, which is
	// its parent's business. Default supervise.Transient, and 100 ms doubling
	// to 30 s. The root has no parent.
	Policy  supervise.Policy
	Backoff supervise.Backoff
	// OnChildEnd, if set, is told when a stage or group in this group has
	// ended, why, and whether it is restarted. It must not block.
	OnChildEnd func(supervise.ChildEnd)
}

// group is a declared group: its stages and groups in the order of their
// declaration, which is the order of their start.
type group struct {
	name     string
	settings Group
	parent   *group
	members  []member
}

// member is a stage or a group.
type member struct {
	stage *definition
	group *group
}

// Supervise sets how the pipeline's own stages and groups are supervised, and
// returns the pipeline:
//
//	p := engine.New("orders").Supervise(engine.Group{Limit: supervise.Lenient.Limit})
func (p *Pipeline) Supervise(g Group) *Pipeline {
	p.root.settings = g
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
	in.pipeline.groups = append(in.pipeline.groups, g)
	return &scoped{pipeline: in.pipeline, group: g, options: in.options}
}

// path is "" for the root, else "back" or "back/inner".
func (g *group) path() string {
	switch {
	case g.parent == nil:
		return ""
	case g.parent.parent == nil:
		return g.name
	}
	return g.parent.path() + "/" + g.name
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
