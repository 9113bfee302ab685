package supervise

import (
	"fmt"
	"time"
)

// failure is an end that is about to be decided on.
type failure struct {
	reason    Reason
	err       error
	abandoned bool
}

func (g *group) failed(m *member, f failure) {
	m.note(func(s *ChildStatus) { s.LastFault = f.err })
	g.emit(m, Event{Kind: Failed, Reason: f.reason, Err: f.err})
}

// decide carries out what the recovery function chose.
func (g *group) decide(m *member, f failure, d Decision) {
	switch d {
	case Restart:
		g.restart(m, f, true, g.supervisor.Strategy)
	case Ignore:
		g.restart(m, f, false, OneForOne)
	case GiveUp:
		g.giveUp(m, f)
	case PassUp:
		g.escalate(m, f)
	default:
		switch {
		case isMarked[*escalated](f.err):
			g.escalate(m, f)
		case m.child.Policy.Restarts(f.reason):
			g.restart(m, f, true, g.supervisor.Strategy)
		default:
			g.giveUp(m, f)
		}
	}
}

// restart plans a restart of m and, by the strategy, of its siblings, unless the limit forbids it.
func (g *group) restart(m *member, f failure, counted bool, strategy Strategy) {
	now := time.Now()
	if counted && !isUncounted(f.err) && !m.account.take(now) {
		g.end(m, f, byFailure, &LimitError{Group: g.label(), Child: m.child.name(), Limit: m.account.limit, Cause: f.err})
		return
	}
	m.reason = f.reason
	m.restarts++
	delay := m.child.Backoff.Delay(m.restarts)
	m.enter(StateBackingOff)
	g.emit(m, Event{Kind: BackingOff, Reason: f.reason, Err: f.err, Restart: m.restarts, Delay: delay})
	low, high := strategy.span(m.index, len(g.members))
	g.plan(low, high, now.Add(delay))
	g.tellEnd(m, ChildEnd{Reason: f.reason, Err: f.err, Restarting: true})
}

func (g *group) giveUp(m *member, f failure) {
	m.reason = f.reason
	m.enter(StateGivenUp)
	g.emit(m, Event{Kind: GivenUp, Reason: f.reason, Err: f.err})
	g.tellEnd(m, ChildEnd{Reason: f.reason, Err: f.err})
}

// escalate ends the group with the failure of m.
func (g *group) escalate(m *member, f failure) {
	g.end(m, f, byFailure, &EscalatedError{Group: g.label(), Child: m.child.name(), Cause: f.err})
}

// fatal ends the group, and as its parents do the same, all of them.
func (g *group) fatal(m *member, f failure) {
	g.end(m, f, byFatal, fmt.Errorf("%s: %w", m.child.name(), f.err))
}

func (g *group) end(m *member, f failure, rank int, err error) {
	m.reason = f.reason
	m.note(func(s *ChildStatus) { s.LastFault = f.err })
	m.enter(StateEscalated)
	g.emit(m, Event{Kind: Escalated, Reason: f.reason, Err: err})
	g.tellEnd(m, ChildEnd{Reason: f.reason, Err: f.err})
	g.close(rank, err, err)
}
