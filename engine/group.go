package engine

import (
	"penstock/engine/internal/plan"
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

// Supervise sets how the pipeline's own stages and groups are supervised, and
// returns the pipeline:
//
//	p := engine.New("orders").Supervise(engine.Group{Limit: supervise.Lenient.Limit})
func (p *Pipeline) Supervise(g Group) *Pipeline {
	p.plan.Root.Settings = plan.Supervision(g)
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
	g := &plan.Group{Name: name, Settings: plan.Supervision(settings), Parent: in.group}
	in.group.Members = append(in.group.Members, plan.Member{Group: g})
	in.pipeline.plan.Groups = append(in.pipeline.plan.Groups, g)
	return &scoped{pipeline: in.pipeline, group: g, options: in.options}
}
