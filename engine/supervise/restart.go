package supervise

import (
	"slices"
	"time"
)

// restart is a planned one, of the members from low up to, but without, high: those that run are stopped first, in
// reverse order, and when it is due all that wait for it are started in order.
type restart struct {
	low, high int
	due       time.Time
}

func (r *restart) has(m *member) bool { return r.low <= m.index && m.index < r.high }

// plan adds a restart. It takes in those that it overlaps; the latest says when it is due.
func (g *group) plan(low, high int, due time.Time) {
	p := &restart{low, high, due}
	for {
		i := slices.IndexFunc(g.pending, func(q *restart) bool { return q.low < p.high && p.low < q.high })
		if i < 0 {
			break
		}
		q := g.pending[i]
		p.low, p.high = min(p.low, q.low), max(p.high, q.high)
		if q.due.After(p.due) {
			p.due = q.due
		}
		g.agenda.drop(q)
		g.pending = slices.Delete(g.pending, i, i+1)
	}
	g.pending = append(g.pending, p)
	g.agenda.add(p, p.due, func() {}) // only to wake the manager
}

func (g *group) isPending(m *member) bool {
	return slices.ContainsFunc(g.pending, func(p *restart) bool { return p.has(m) })
}

// bringUp has m started as soon as its siblings' restarts allow.
func (g *group) bringUp(m *member) {
	m.restarts = 0
	m.reason = Shutdown
	m.enter(StateBackingOff)
	now := time.Now()
	i := slices.IndexFunc(g.pending, func(p *restart) bool { return p.has(m) })
	switch {
	case i < 0:
		g.plan(m.index, m.index+1, now)
	case g.pending[i].high-g.pending[i].low == 1:
		g.pending[i].due = now
	}
}

func (g *group) advanceRestarts() {
	now := time.Now()
	for _, p := range slices.Clone(g.pending) {
		if g.isDown(p) && !p.due.After(now) {
			g.agenda.drop(p)
			g.pending = slices.DeleteFunc(g.pending, func(q *restart) bool { return q == p })
			for _, m := range g.members[p.low:p.high] {
				if m.status.State == StateBackingOff {
					g.start(m)
				}
			}
		}
	}
}

// isDown says whether no member of p is up or undecided; if one is up, it sees to it that one is stopping.
func (g *group) isDown(p *restart) bool {
	members := g.members[p.low:p.high]
	if slices.ContainsFunc(members, func(m *member) bool { return m.life != nil && m.life.stopping }) {
		return false
	}
	for _, m := range slices.Backward(members) {
		if m.life != nil {
			g.stop(m, errSibling)
			return false
		}
	}
	return !slices.ContainsFunc(members, func(m *member) bool { return m.recovery != nil })
}
