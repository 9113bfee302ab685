package supervise_test

import "penstock/engine/supervise"

// probesFailed counts them at present. One that hangs fails at its timeout, and once an interval from then on.
func (o *oracle) probesFailed(n *node, s *state) int {
	hangs := o.now - s.hungAt
	if !s.hung || hangs < n.check.Timeout {
		return s.bad
	}
	early := (n.check.Timeout - 1) / n.check.Interval
	return s.bad + 1 + int(hangs/n.check.Interval-early)
}

func (o *oracle) probed(s *state, e entry) {
	switch {
	case o.now == s.upAt: // of the life before
	case e.how == hangs:
		if !s.hung {
			s.hung, s.hungAt = true, o.now
		}
	case e.how == panics || e.health == supervise.LevelUnhealthy:
		s.bad++
	default:
		s.bad, s.hung = 0, false
	}
}
