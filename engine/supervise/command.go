package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNotServing is returned by a command when Serve, or the nested group's, does not run or is about to return.
	ErrNotServing = errors.New("supervise: not serving")
	// ErrNoChild is returned by a command for a name that no child, or more than one, has.
	ErrNoChild = errors.New("supervise: no such child")
)

var errOvertaken = errors.New("supervise: replaced by a later command")

// want is what an operator ordered.
type want uint8

const (
	wantNothing want = iota
	wantDown
	wantUp
)

// RestartChild stops the child if it runs, and starts it; also one that was stopped, ended or was given up. No limit
// counts that, its siblings are left alone, and its delays begin anew. It returns when the child was started.
//
// The name is the child's, in this group or else in the only nested group that has one of that name, or a path like
// "group/child". It is safe from any goroutine while Serve runs, but not from OnEvent and OnChildEnd, which would wait
// for themselves. If ctx is done first, its error is returned, and the command goes on all the same.
func (s *Supervisor) RestartChild(ctx context.Context, name string) error {
	return s.command(ctx, "restart", name, func(g *group, m *member, reply chan<- error) {
		g.order(m, wantUp, reply)
	})
}

// StopChild stops the child, or its waiting for a restart. It stays down until StartChild or RestartChild, also when
// its siblings are restarted, and Serve goes on waiting for it. It returns when the child has stopped. One that ended
// or was given up is down already, and done. Name, safety and ctx are as with RestartChild.
func (s *Supervisor) StopChild(ctx context.Context, name string) error {
	return s.command(ctx, "stop", name, func(g *group, m *member, reply chan<- error) {
		if m.isDown() && m.status.State != StateBackingOff {
			reply <- nil
			return
		}
		g.order(m, wantDown, reply)
	})
}

// StartChild starts a child that was stopped, ended or was given up, and at once one that waits for its restart. It
// does nothing to one that runs. It returns when the child was started. Name, safety and ctx are as with RestartChild.
func (s *Supervisor) StartChild(ctx context.Context, name string) error {
	return s.command(ctx, "start", name, func(g *group, m *member, reply chan<- error) {
		if m.life != nil && !m.life.stopping {
			reply <- nil
			return
		}
		g.order(m, wantUp, reply)
	})
}

// command has the manager of the child do something and waits for its reply.
func (s *Supervisor) command(ctx context.Context, verb, name string, do func(g *group, m *member, reply chan<- error)) error {
	err := s.send(ctx, name, do)
	if err != nil {
		return fmt.Errorf("%s child %q: %w", verb, name, err)
	}
	return nil
}

func (s *Supervisor) send(ctx context.Context, name string, do func(g *group, m *member, reply chan<- error)) error {
	owner, i, err := s.find(name)
	if err != nil {
		return err
	}
	g := owner.run.Load()
	if g == nil {
		return ErrNotServing
	}
	reply := make(chan error, 1)
	if !g.mail.post(func() {
		if g.closing {
			reply <- ErrNotServing
			return
		}
		do(g, g.members[i], reply)
	}) {
		return ErrNotServing
	}
	select {
	case err = <-reply:
	case <-ctx.Done():
		err = ctx.Err()
	case <-g.gone:
		select {
		case err = <-reply:
		default:
			err = ErrNotServing
		}
	}
	return err
}

// find returns the supervisor that has the child, and the child's index: a child of its own, one by path, or the only
// one of that name in all nested groups.
func (s *Supervisor) find(name string) (*Supervisor, int, error) {
	for i := range s.Children {
		if s.Children[i].name() == name {
			return s, i, nil
		}
	}
	for i := range s.Children {
		if c := &s.Children[i]; c.Group != nil {
			if rest, ok := strings.CutPrefix(name, c.name()+"/"); ok {
				return c.Group.find(rest)
			}
		}
	}
	var found *Supervisor
	var at int
	for i := range s.Children {
		if s.Children[i].Group == nil {
			continue
		}
		owner, i, err := s.Children[i].Group.find(name)
		switch {
		case err != nil:
		case found != nil:
			return nil, 0, fmt.Errorf("%w: several children have this name: give it with its group", ErrNoChild)
		default:
			found, at = owner, i
		}
	}
	if found == nil {
		return nil, 0, ErrNoChild
	}
	return found, at, nil
}

// isDown says whether m neither runs nor is undecided.
func (m *member) isDown() bool { return m.life == nil && m.recovery == nil }

// order has m go up or down and replies when it has. A later order overtakes an earlier one.
func (g *group) order(m *member, w want, reply chan<- error) {
	if m.want != w {
		m.answer(errOvertaken)
		m.want = w
	}
	m.orders = append(m.orders, reply)
	switch {
	case m.life != nil:
		if !g.isPending(m) { // else its turn to be stopped comes
			g.stop(m, errCommand)
		}
	case m.recovery != nil: // seen to when it was recovered
	case w == wantUp:
		g.bringUp(m)
	default:
		g.stopped(m)
		m.done(wantDown)
	}
}

// done replies to those who ordered what has happened now.
func (m *member) done(w want) {
	if m.want == w {
		m.answer(nil)
	}
}

func (m *member) answer(err error) {
	for _, reply := range m.orders {
		reply <- err
	}
	m.orders, m.want = nil, wantNothing
}
