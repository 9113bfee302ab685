package supervise_test

import (
	"errors"

	"penstock/engine/supervise"
)

func (o *oracle) answered(n *node, s *state, err error) {
	do := s.order
	s.order, s.answered, s.answeredAt = 0, true, o.now
	switch {
	case errors.Is(err, supervise.ErrNotServing):
		if g := o.states[n.parent]; o.why(n) == "" && g.alive && g.upAt < o.now && !o.allRest(n.parent) {
			o.complain(obedient, "%s: its group does not run: %v", n.path, err)
		}
	case err != nil:
		o.complain(obedient, "%s: %v", n.path, err)
	case s.reborn:
	case do != stopIt:
		if !s.obeyed {
			o.complain(obedient, "%s is told to have been started, and was not", n.path)
		}
	case s.alive:
		o.complain(obedient, "%s is told to have been stopped, and runs", n.path)
	case s.rest == notResting:
		s.rest = byOperator
	}
}
