package supervise_test

import (
	"cmp"
	"slices"
	"time"
)

func (o *oracle) told(n *node, s *state, e entry) {
	l := s.lives[e.life]
	if l == nil {
		return
	}
	l.told, l.toldAt, l.unwell = true, o.now, e.unwell
	if !e.unwell {
		o.tell(n, s)
		return
	}
	s.ailing = true
	if failures := o.probesFailed(n, s); failures < n.check.Threshold {
		o.complain(wellFound, "%s is stopped as unhealthy after %d failures", n.path, failures)
	}
}

// tell takes note that n was told to stop in turn, and works out for whom.
func (o *oracle) tell(n *node, s *state) {
	g := o.states[n.parent]
	if s.order != 0 {
		return
	}
	s.stopping = true
	if p := o.waiting(n); p != nil {
		o.backwards(n, &p.lastTold)
		for _, k := range n.parent.kids[p.low:p.high] {
			if o.states[k].ailing && !g.closing && o.why(n.parent) == "" {
				o.complain(inOrder, "%s is stopped while %s is stopping for its health", n.path, k.path)
			}
		}
		return
	}
	if !g.closing && !o.isFatal(n.parent) {
		switch {
		case o.why(n) == "":
			o.complain(inReach, "%s is stopped for no reason", n.path)
			return
		case n.parent != o.root:
			o.tell(n.parent, g)
		}
		g.closing = true
	}
	o.backwards(n, &g.lastTold)
}

func (o *oracle) backwards(n *node, last **node) {
	before := *last
	*last = n
	if o.states[n.parent].disturbed {
		return
	}
	if before != nil && before.index <= n.index {
		o.complain(inOrder, "%s is stopped after %s", n.path, before.path)
	}
	for _, k := range n.parent.kids {
		if k != n && o.states[k].stopping {
			o.complain(inOrder, "%s is stopped while %s is stopping", n.path, k.path)
		}
	}
}

// over takes note that the run of a group has ended.
func (o *oracle) over(n *node, s *state) {
	if !n.group || !s.alive {
		return
	}
	o.down(n, s)
	for _, k := range n.kids {
		k.walk(func(m *node) {
			if o.states[m].alive {
				o.complain(atTheEnd, "group %s is over, and %s still runs", n.path, m.path)
			}
		})
	}
	switch {
	case o.isFatal(n):
		s.how = fatal
	case s.escalated:
		s.how = fails
	case o.allRest(n):
		s.how = ends
	default:
		s.how = obeys
	}
}

func (o *oracle) down(n *node, s *state) {
	s.alive, s.stopping, s.ailing, s.downAt, s.undecided = false, false, false, o.now, true
	if quiet := cmp.Or(n.backoff.Quiet, time.Minute); o.now-s.upAt >= quiet {
		s.restarts, s.forgiven = 0, 0
	}
}

func (o *oracle) ended(s *state, e entry) {
	s.lastEnd = o.now
	l := s.lives[e.life]
	if l == nil { // left behind long ago
		s.behind = slices.DeleteFunc(s.behind, func(life int) bool { return life == e.life })
		return
	}
	delete(s.lives, e.life)
	o.down(o.nodes[e.path], s)
	s.how, s.result, s.unwell, s.fatal = e.how, e.how, l.unwell, e.how == fatal
	if l.told && !l.unwell && e.how != fatal && e.how != escalates {
		s.how = obeys
	}
}

func (o *oracle) abandoned(n *node, s *state) {
	o.left[n.path] = true
	timeout := cmp.Or(n.stopTimeout, 5*time.Second)
	for k, l := range s.lives {
		if waited := o.now - l.toldAt; !l.told || waited < timeout {
			o.complain(inTime, "%s is abandoned after %v", n.path, waited)
		}
		s.unwell = l.unwell
		s.behind = append(s.behind, k)
		delete(s.lives, k)
		o.down(n, s)
	}
	s.how, s.fatal, s.undecided = obeys, false, s.unwell
}
