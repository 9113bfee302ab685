package plan

import "penstock/engine/supervise"

// Supervision is how a group is supervised; engine.Group documents it.
type Supervision struct {
	Strategy   supervise.Strategy
	Limit      supervise.Limit
	Policy     supervise.Policy
	Backoff    supervise.Backoff
	OnChildEnd func(supervise.ChildEnd)
}

// Group is a declared group: its stages and groups in the order of their
// declaration, which is the order of their start.
type Group struct {
	Name     string
	Settings Supervision
	Parent   *Group
	Members  []Member
}

// Member is a stage or a group.
type Member struct {
	Stage *Stage
	Group *Group
}

// Path is "" for the root, else "back" or "back/inner".
func (g *Group) Path() string {
	switch {
	case g.Parent == nil:
		return ""
	case g.Parent.Parent == nil:
		return g.Name
	}
	return g.Parent.Path() + "/" + g.Name
}
