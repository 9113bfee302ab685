package supervise_test

import (
	"cmp"
	"slices"
	"time"

	"penstock/engine/supervise"
)

func (o *oracle) account(n *node, s *state) (*[]time.Duration, supervise.Limit) {
	acc, limit := &o.states[n.parent].shared, n.parent.limit
	if n.own != nil {
		acc, limit = &s.account, *n.own
	}
	return acc, supervise.Limit{Restarts: cmp.Or(limit.Restarts, 5), Window: cmp.Or(limit.Window, time.Minute)}
}

func (o *oracle) isFull(account []time.Duration, limit supervise.Limit) bool {
	n := 0
	for _, t := range account {
		if o.now-t < limit.Window {
			n++
		}
	}
	return limit.Restarts >= 0 && n >= limit.Restarts
}

// plan enters a restart and checks the delay that was told.
func (o *oracle) plan(n *node, s *state, e supervise.Event, single bool) {
	if s.forgiven > 0 && e.Restart == s.forgiven+1 {
		s.restarts = s.forgiven
	}
	s.restarts++
	s.forgiven = 0
	delay := min(cmp.Or(n.backoff.Initial, 100*time.Millisecond), n.backoff.Max)
	for range s.restarts - 1 {
		delay = min(time.Duration(float64(delay)*cmp.Or(n.backoff.Multiplier, 2)), n.backoff.Max)
	}
	if n.backoff.Initial < 0 {
		delay = 0
		if s.restarts > 10 {
			delay = time.Millisecond
		}
	}
	if e.Restart != s.restarts || e.Delay != delay {
		o.complain(inTime, "%s waits %v for restart %d, and should wait %v for restart %d", n.path, e.Delay, e.Restart, delay, s.restarts)
	}
	p := &pending{low: n.index, high: n.index + 1, due: o.now + e.Delay}
	if group := n.parent; !single && group.strategy != supervise.OneForOne {
		p.high = len(group.kids)
		if group.strategy == supervise.OneForAll {
			p.low = 0
		}
	}
	g := o.states[n.parent]
	for i := 0; i < len(g.pending); {
		q := g.pending[i]
		if q.low >= p.high || p.low >= q.high {
			i++
			continue
		}
		p.low, p.high, p.due = min(p.low, q.low), max(p.high, q.high), max(p.due, q.due)
		p.lastTold = cmp.Or(q.lastTold, p.lastTold)
		g.pending = slices.Delete(g.pending, i, i+1)
		i = 0
	}
	g.pending = append(g.pending, p)
}
