package engine

import "penstock/engine/supervise"

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
