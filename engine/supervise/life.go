package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// life is one run of a child's Serve, from its start until it ended or was abandoned.
type life struct {
	ctx       context.Context // the child's; the manager ends it
	cancel    context.CancelCauseFunc
	started   time.Time
	progress  uint64 // before it
	stopping  bool
	unhealthy *UnhealthyError // why it is stopping, if that is it
	watches   []*watch
	over      bool // its goroutine has ended; guarded by the tree's leftovers
}

// errSibling and errCommand are what a child's context says when it is stopped for them.
var (
	errSibling = errors.New("supervise: stopped to be restarted with a sibling")
	errCommand = errors.New("supervise: stopped by a command")
)

// start begins a life of m.
func (g *group) start(m *member) {
	l := &life{started: time.Now(), progress: m.child.progress()}
	values := context.WithValue(g.values, runningKey{}, sync.OnceFunc(func() {
		g.mail.post(func() { g.running(m, l) })
	}))
	l.ctx, l.cancel = context.WithCancelCause(values)
	event := Event{Kind: Starting}
	if m.isRestart {
		event = Event{Kind: Restarting, Reason: m.reason, Restart: m.restarts}
	}
	m.note(func(s *ChildStatus) {
		if m.isRestart {
			s.Restarts[m.reason]++
		}
		s.Started, s.Health = l.started, Health{}
		s.Starts++
	})
	g.tree.leftovers.replaced(m.child)
	m.life, m.isRestart = l, true
	m.enter(StateStarting)
	g.emit(m, event)
	g.watchAll(m, l)
	launch(func() error { return g.serve(l.ctx, m) }, func(err error) {
		g.tree.leftovers.over(m.child, l)
		g.mail.post(func() { g.returned(m, l, err) })
	})
	m.done(wantUp)
}

func (g *group) serve(ctx context.Context, m *member) error {
	if m.child.Group != nil {
		return m.child.Group.serve(ctx, g.tree, g.pathOf(m))
	}
	return m.child.Serve(ctx)
}

func (g *group) running(m *member, l *life) {
	if m.life != l || l.stopping {
		return
	}
	m.enter(StateRunning)
	g.emit(m, Event{Kind: Up})
	for _, w := range l.watches {
		g.agenda.drop(w)
		w.failures = 0
		g.schedule(w)
	}
}

// stop tells m to stop; it is abandoned later if it does not.
func (g *group) stop(m *member, why error) {
	l := m.life
	if l.stopping {
		return
	}
	l.stopping = true
	l.cancel(why)
	m.enter(StateStopping)
	if m.child.Group == nil {
		timeout := m.child.stopTimeout()
		g.agenda.add(l, time.Now().Add(timeout), func() { g.overdue(m, l) })
	}
}

// returned takes the news that Serve has returned; those of an abandoned life come too late.
func (g *group) returned(m *member, l *life, err error) {
	if m.life != l {
		return
	}
	group := m.child.Group
	g.ended(m, err, group != nil && len(g.tree.leftovers.under(group, "")) > 0)
}

// ended decides what the end of a life means.
func (g *group) ended(m *member, err error, abandoned bool) {
	l := m.life
	g.bury(m)
	told := g.closing || m.want != wantNothing || l.stopping && l.unhealthy == nil
	f := failure{reason: ReasonOf(err), err: err, abandoned: abandoned}
	if l.unhealthy != nil && !IsFatal(err) {
		f.reason, f.err = Unhealthy, l.failure(err)
	}
	switch {
	case IsFatal(err):
		g.fatal(m, f)
	case isForGood(err) && m.want != wantUp:
		g.finished(m)
	case told && isMarked[*escalated](err):
		g.failed(m, f)
		g.escalate(m, f)
	case told:
		g.obeyed(m, l, f)
	case l.unhealthy != nil:
		g.failed(m, f)
		g.ask(m, f)
	case err == nil && !m.child.Policy.Restarts(Normal):
		g.finished(m)
	case g.isPending(m) && !isMarked[*escalated](err): // it was about to be stopped with a sibling
		g.obeyed(m, l, f)
	case err == nil:
		g.restart(m, f, true, g.supervisor.Strategy)
	default:
		g.failed(m, f)
		g.ask(m, f)
	}
}

// bury takes the life of m off the books.
func (g *group) bury(m *member) {
	l := m.life
	m.life = nil
	l.cancel(nil)
	g.agenda.drop(l)
	for _, w := range l.watches {
		g.agenda.drop(w)
	}
	if m.child.Backoff.isQuiet(time.Since(l.started)) || m.child.progress() > l.progress {
		m.restarts = 0
	}
}

// failure returns why a life was unhealthy, with what Serve said to being stopped for that.
func (l *life) failure(err error) error {
	switch {
	case err == nil || l.isAnswer(err):
		return l.unhealthy
	case isMarked[*escalated](err):
		return fmt.Errorf("%w; then: %w", l.unhealthy, err)
	}
	return fmt.Errorf("%w; then: %v", l.unhealthy, err)
}

// isAnswer says whether err only repeats that the life was told to stop.
func (l *life) isAnswer(err error) bool {
	return isForGood(err) || l.stopping && (errors.Is(err, context.Canceled) || Is(err, context.Cause(l.ctx)))
}

// obeyed takes the end of a life that was told to stop for another reason than its own.
func (g *group) obeyed(m *member, l *life, f failure) {
	if l.unhealthy == nil && (l.isAnswer(f.err) || g.closing && Is(f.err, g.ending.err)) {
		f.err = nil
	}
	if f.err != nil {
		g.failed(m, f)
	}
	if !f.abandoned || m.child.Group != nil {
		g.emit(m, Event{Kind: Stopped, Reason: Shutdown})
	}
	m.reason = Shutdown
	end := ChildEnd{Reason: Shutdown, Err: f.err}
	switch {
	case g.closing || m.want == wantDown:
		m.enter(StateStopped)
		m.done(wantDown)
	case m.want == wantUp:
		end.Restarting = true
		g.bringUp(m)
	case m.child.Policy == Temporary:
		m.enter(StateGivenUp)
		g.emit(m, Event{Kind: GivenUp, Reason: Shutdown, Err: f.err})
	default:
		end.Restarting = true
		m.enter(StateBackingOff)
	}
	g.tellEnd(m, end)
}

func (g *group) finished(m *member) {
	m.reason = Normal
	m.enter(StateEnded)
	g.emit(m, Event{Kind: Stopped, Reason: Normal})
	m.done(wantDown)
	g.tellEnd(m, ChildEnd{Reason: Normal})
}

func (g *group) tellEnd(m *member, e ChildEnd) {
	if tell := g.supervisor.OnChildEnd; tell != nil {
		e.Group, e.Child, e.Policy = g.path, m.child.name(), m.child.Policy
		_ = Call(func() error { tell(e); return nil })
	}
}
