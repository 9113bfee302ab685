package supervise_test

import (
	"cmp"
	"slices"
	"time"
)

// moment checks what must have happened before time goes on until next.
func (o *oracle) moment(next time.Duration) {
	for _, n := range o.all[1:] {
		s := o.states[n]
		if s.undecided && (s.recovery == runs || next > s.downAt+recoverTimeout) {
			o.complain(byPolicy, "%s %v, and nothing follows", n.path, s.how)
			s.undecided = false
		}
		patience := cmp.Or(n.stopTimeout, 5*time.Second)
		patience += time.Duration(n.script.patient) * min(patience, time.Second)
		for _, l := range s.lives {
			if l.told && next > l.toldAt+patience {
				o.complain(inTime, "%s does not stop since %.3f, and is not abandoned", n.path, l.toldAt.Seconds())
				l.told = false
			}
			if !l.told && !s.hung && n.check.Threshold > 0 && s.bad >= n.check.Threshold && o.why(n) == "" {
				o.complain(wellFound, "%s is not stopped after %d failures", n.path, s.bad)
				s.bad = 0
			}
		}
		if n.group {
			o.restartsCame(n, s, next)
		}
	}
	o.restartsCame(o.root, o.states[o.root], next)
}

// restartsCame checks that no restart of a child of n is overdue, nor half done.
func (o *oracle) restartsCame(n *node, s *state, next time.Duration) {
	s.pending = slices.DeleteFunc(s.pending, func(p *pending) bool {
		waits := slices.ContainsFunc(n.kids[p.low:p.high], func(k *node) bool { return o.states[k].alive || o.states[k].undecided })
		switch {
		case !s.alive || s.closing || o.isFatal(n) || o.why(n) != "":
			return false
		case p.starting:
			o.complain(inOrder, "%s was not restarted with its siblings", p.left[0].path)
		case waits || next <= p.due:
			return false
		case len(o.eligible(n, p)) > 0:
			o.complain(inTime, "%s should have been restarted at %.3f", o.eligible(n, p)[0].path, p.due.Seconds())
		}
		return true
	})
}
