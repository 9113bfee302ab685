package supervise

import (
	"context"
	"slices"
	"sync"
	"time"
)

// group is one run of a Supervisor. It belongs to one goroutine, its manager, which is the caller of Serve; everybody
// else reaches it by mail. The manager never waits for one child while another may need it.
type group struct {
	supervisor *Supervisor
	tree       *tree
	path       string          // empty at the root
	values     context.Context // what the children's contexts are made from; never done
	members    []*member
	shared     *account // of the children without a limit of their own
	mail       *mailbox
	agenda     agenda
	pending    []*restart
	probes     map[*probe]bool // that still may answer in time
	gone       chan struct{}   // closed when Serve is about to return

	ending  ending
	down    bool  // closing is complete
	closing bool  // all children are to stop
	why     error // what their contexts say then
}

// ending is how Serve returns. A failure is not lost in a shutdown, nor a fatal one in another failure.
type ending struct {
	rank int
	err  error
}

const (
	byContext = iota + 1
	byFailure
	byFatal
)

// member is one child in one run of its group.
type member struct {
	child     *Child
	index     int
	account   *account
	life      *life     // nil when it is down
	recovery  *recovery // set while its recovery function is asked
	restarts  int       // failures since the last progress or quiet time
	reason    Reason    // why its last life ended
	isRestart bool      // it had a life in this run of the group
	want      want      // what an operator ordered, until it is done
	orders    []chan<- error

	mu     sync.Mutex
	status ChildStatus
}

// newGroup makes a run of s. Counters go on from the run before if that was in the same tree.
func newGroup(ctx context.Context, s *Supervisor, t *tree, path string, before *group) *group {
	g := &group{
		supervisor: s,
		tree:       t,
		path:       path,
		values:     context.WithoutCancel(ctx),
		members:    make([]*member, len(s.Children)),
		shared:     newAccount(s.Limit),
		mail:       newMailbox(),
		probes:     map[*probe]bool{},
		gone:       make(chan struct{}),
	}
	for i := range g.members {
		c := &s.Children[i]
		m := &member{child: c, index: i, account: g.shared}
		if c.Limit != nil {
			m.account = newAccount(*c.Limit)
		}
		if before != nil && before.tree == t {
			m.status = before.members[i].snapshot()
		}
		m.status.Name, m.status.Policy, m.status.State, m.status.Health = c.name(), c.Policy, StateStopped, Health{}
		if m.status.Restarts == nil {
			m.status.Restarts = map[Reason]uint64{}
		}
		g.members[i] = m
	}
	return g
}

// manage runs until nothing is left to manage. News come before what is due, so that a child which ended at the last
// moment is not abandoned; but only those that are there, so that a child which fails at once all the time does not
// hold up the others.
func (g *group) manage(ctx context.Context) {
	for g.advance(); !g.isOver(); g.advance() {
		if g.heeds() && ctx.Err() != nil {
			g.close(byContext, ctx.Err(), context.Cause(ctx))
			continue
		}
		news := g.mail.take()
		for _, do := range news {
			do()
			g.advance()
		}
		if do := g.agenda.due(time.Now()); do != nil {
			do()
		} else if len(news) == 0 {
			g.sleep(ctx)
		}
	}
}

// heeds says whether it still matters that Serve's context is done.
func (g *group) heeds() bool { return !g.closing && !g.isDone() }

func (g *group) sleep(ctx context.Context) {
	var done <-chan struct{}
	if g.heeds() {
		done = ctx.Done()
	}
	var due <-chan time.Time
	if timer := g.agenda.next(); timer != nil {
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-g.mail.wake:
	case <-due:
	case <-done:
	}
}

// advance does what has become possible.
func (g *group) advance() {
	if g.closing {
		g.advanceClosing()
		return
	}
	g.advanceRestarts()
}

// isOver says whether no child is left, and no probe may still answer.
func (g *group) isOver() bool {
	return len(g.probes) == 0 && (g.down || !g.closing && g.isDone())
}

// isDone says whether all children have ended for good.
func (g *group) isDone() bool {
	return !slices.ContainsFunc(g.members, func(m *member) bool {
		return m.status.State != StateEnded && m.status.State != StateGivenUp
	})
}

// close has all children stop. The first error of the highest rank is how the group ends.
func (g *group) close(rank int, err, why error) {
	if rank > g.ending.rank {
		g.ending = ending{rank, err}
	}
	if g.closing {
		return
	}
	g.closing, g.why = true, why
	g.pending = nil
	for _, m := range g.members {
		m.answer(ErrNotServing)
		if m.recovery != nil {
			m.recovery.cancel()
		}
	}
}

// advanceClosing stops the children in reverse order, one at a time.
func (g *group) advanceClosing() {
	for i := len(g.members) - 1; i >= 0; i-- {
		m := g.members[i]
		switch {
		case m.life != nil:
			g.stop(m, g.why)
			return
		case m.recovery != nil:
			return
		case m.status.State == StateBackingOff || !m.isRestart && m.status.State == StateStopped:
			m.isRestart = true // told once, also if it was never started
			g.stopped(m)
		}
	}
	g.down = true
}

func (g *group) stopped(m *member) {
	m.enter(StateStopped)
	g.emit(m, Event{Kind: Stopped, Reason: Shutdown})
}

// leave ends the run for those outside.
func (g *group) leave() {
	g.mail.close()
	close(g.gone)
}

func (g *group) isGone() bool {
	select {
	case <-g.gone:
		return true
	default:
		return false
	}
}

func (g *group) emit(m *member, e Event) {
	e.Group, e.Child = g.path, m.child.name()
	g.tree.emit(e)
}

// label names the group in errors.
func (g *group) label() string {
	if g.path == "" {
		return g.supervisor.Name
	}
	return g.path
}

// pathOf names m, with the groups it is in.
func (g *group) pathOf(m *member) string { return childPath(g.path, m.child) }

func childPath(group string, c *Child) string {
	if group == "" {
		return c.name()
	}
	return group + "/" + c.name()
}
