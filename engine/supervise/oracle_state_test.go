package supervise_test

import (
	"slices"
	"time"

	"penstock/engine/supervise"
)

type rest uint8

const (
	notResting rest = iota
	endedWell
	givenUp
	byOperator
)

// life is one run of a child that is neither over nor abandoned.
type life struct {
	told, unwell bool
	toldAt       time.Duration
}

// state is what the log says of a node up to now.
type state struct {
	started      bool // in this run of its group
	alive        bool // from its start until its life is over or left behind
	stopping     bool // in turn, with its group or a sibling
	ailing       bool // stopping because of its health
	said, up     bool // it said that it is up, and the event came
	upAt, downAt time.Duration
	lives        map[int]*life
	starts       uint64
	restarts     int
	forgiven     int // restarts that do not count because of an order, unless that came at the very moment of the start
	rest         rest

	undecided      bool    // its life is over and nothing was said about it yet
	how            outcome // obeys: only because it was told to
	result         outcome // how Serve really returned
	unwell         bool
	fatal          bool
	recovery       outcome // how the recovery function answers; runs: it was not asked
	decision       supervise.Decision
	recoveryFailed bool

	order  order
	obeyed bool // it was started since the order
	reborn bool // its group was started since the order
	// The answer may come before the last that is told of what was ordered.
	answered   bool
	answeredAt time.Duration

	account []time.Duration
	bad     int // failed probes in a row
	hung    bool
	hungAt  time.Duration
	behind  []int // lives that were abandoned since its last start, and have not ended
	lastEnd time.Duration

	// Of a group:
	pending   []*pending
	closing   bool // all its children are to stop
	escalated bool // because of a child
	disturbed bool // an operator had to do with a child
	firsts    int
	lastTold  *node
	shared    []time.Duration
}

// pending is a restart of the children from low up to, but without, high.
type pending struct {
	low, high int
	due       time.Duration
	lastTold  *node
	starting  bool
	left      []*node // that are still to be started
}

func (p *pending) has(n *node) bool { return p.low <= n.index && n.index < p.high }

// allRest says whether all children of a group have ended for good.
func (o *oracle) allRest(n *node) bool {
	return !slices.ContainsFunc(n.kids, func(k *node) bool { return o.states[k].rest != endedWell && o.states[k].rest != givenUp })
}

func (o *oracle) isFatal(n *node) (yes bool) {
	n.walk(func(m *node) { yes = yes || !m.group && o.states[m].fatal })
	return yes
}

// why returns a reason for which n may have to stop or to stay down, other than its own.
func (o *oracle) why(n *node) string {
	if n == o.root {
		if o.cancelled {
			return "shutdown"
		}
		return ""
	}
	g := o.states[n.parent]
	switch {
	case o.waiting(n) != nil:
		return "restart"
	case o.states[n].order != 0:
		return "order"
	case g.closing || o.isFatal(n.parent):
		return "group"
	}
	return o.why(n.parent)
}

// waiting returns the restart that n is in and that has not come to the starts.
func (o *oracle) waiting(n *node) *pending {
	for _, p := range o.states[n.parent].pending {
		if p.has(n) && !p.starting {
			return p
		}
	}
	return nil
}
