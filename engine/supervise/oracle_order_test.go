package supervise_test

import (
	"slices"

	"penstock/engine/supervise"
)

func (o *oracle) isUp(n *node, s *state) {
	s.bad = 0
	switch {
	case !n.group && !s.said:
		o.complain(inOrder, "%s is told to be up, and did not say so", n.path)
	case s.up:
		o.complain(inOrder, "%s is told to be up again", n.path)
	case !s.alive && s.downAt < o.now:
		o.complain(inOrder, "%s is told to be up, and is down", n.path)
	}
	for _, l := range s.lives {
		if l.told && l.toldAt < o.now {
			o.complain(inOrder, "%s is told to be up, and is to stop", n.path)
		}
	}
	s.up = true
}

func (o *oracle) start(n *node, s *state, kind supervise.EventKind) {
	g := o.states[n.parent]
	first := !s.started
	switch {
	case !g.alive:
		o.complain(inOrder, "%s is started, and its group does not run", n.path)
	case g.closing:
		o.complain(atTheEnd, "%s is started, and its group is stopping", n.path)
	case s.alive:
		o.complain(inOrder, "%s is started, and runs already", n.path)
	case first && (n.index != g.firsts || kind != supervise.Starting):
		o.complain(inOrder, "%s is started at first as number %d by %q", n.path, g.firsts, kind)
	case !first && kind != supervise.Restarting:
		o.complain(inOrder, "%s is started again by %q", n.path, kind)
	}
	if first {
		g.firsts = n.index + 1
	} else {
		o.startAgain(n, s, g)
	}
	account := s.account
	if first {
		account = nil
	}
	*s = state{started: true, alive: true, upAt: o.now, lives: s.lives, lastEnd: s.lastEnd, starts: s.starts + 1, restarts: s.restarts, forgiven: s.forgiven,
		order: s.order, obeyed: s.order != 0, reborn: s.reborn, account: account}
	for _, k := range n.kids {
		o.forget(k)
	}
}

// forget makes a child of a group as new, for a further run of the group.
func (o *oracle) forget(n *node) {
	s := o.states[n]
	*s = state{lives: s.lives, behind: s.behind, lastEnd: s.lastEnd, starts: s.starts, order: s.order, reborn: s.order != 0}
	for _, k := range n.kids {
		o.forget(k)
	}
}

func (o *oracle) startAgain(n *node, s, g *state) {
	if s.order != 0 {
		s.forgiven, s.restarts = s.restarts, 0
	}
	i := slices.IndexFunc(g.pending, func(p *pending) bool { return p.has(n) })
	if i < 0 {
		if s.order == 0 {
			o.complain(inReach, "%s is restarted for no reason", n.path)
		}
		return
	}
	p := g.pending[i]
	if s.order == 0 {
		if s.rest != notResting {
			o.complain(byPolicy, "%s is restarted after it was to stay down", n.path)
		}
		if n.policy == supervise.Temporary && s.how == obeys && !s.unwell {
			o.complain(byPolicy, "%s is temporary, and restarted after it was stopped for a sibling", n.path)
		}
		if !p.starting {
			o.ready(n, p)
		} else if len(p.left) > 0 && p.left[0] != n {
			o.complain(inOrder, "%s is restarted before %s", n.path, p.left[0].path)
		}
	}
	if !p.starting {
		p.starting, p.left = true, o.eligible(n.parent, p)
	}
	p.left = slices.DeleteFunc(p.left, func(k *node) bool { return k == n })
	if len(p.left) == 0 {
		g.pending = slices.Delete(g.pending, i, i+1)
	}
}

// ready checks that a restart may come to its starts.
func (o *oracle) ready(n *node, p *pending) {
	if o.now < p.due {
		o.complain(inTime, "%s is restarted %v too early", n.path, p.due-o.now)
	}
	for _, k := range n.parent.kids[p.low:p.high] {
		if s := o.states[k]; s.alive || s.undecided {
			o.complain(inOrder, "%s is restarted, and %s has not stopped yet", n.path, k.path)
		}
	}
	if first := o.eligible(n.parent, p); len(first) > 0 && first[0] != n {
		o.complain(inOrder, "%s is restarted before %s", n.path, first[0].path)
	}
}

// eligible returns those of a restart who are to be started.
func (o *oracle) eligible(group *node, p *pending) (nodes []*node) {
	for _, k := range group.kids[p.low:p.high] {
		if s := o.states[k]; s.rest == notResting && s.order != stopIt && !s.alive {
			nodes = append(nodes, k)
		}
	}
	return nodes
}

func (o *oracle) began(n *node, s *state, number int) {
	if !s.alive {
		o.complain(inOrder, "%s began life %d without being started", n.path, number)
	}
	if len(s.lives) > 0 {
		o.complain(inOrder, "%s has two lives at the same time", n.path)
	}
	s.lives[number] = &life{}
}
