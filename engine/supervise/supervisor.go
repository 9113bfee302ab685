package supervise

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Supervisor runs children side by side and restarts those that fail. Fill the fields, then call Serve; they must not
// change while it runs, and a Supervisor must not be copied. Serve may be called again once it has returned.
type Supervisor struct {
	Name     string   // in errors; may be empty for the root
	Strategy Strategy // which siblings restart with a child that failed; default OneForOne
	Limit    Limit    // on the restarts of all children together, except those with a Limit of their own; default 5 in 60 s
	Children []Child  // in start order
	// OnEvent is told what happens in the whole tree: one event at a time, in order, and none after Serve has returned.
	// Only the root's is used. Everybody waits for it, so it must not block, nor issue a command; a panic is ignored.
	OnEvent func(Event)
	// OnChildEnd is a handler of this group's own: it is told when one of its children ended, once it is clear what
	// follows. It must not block, nor issue a command; a panic is ignored.
	OnChildEnd func(ChildEnd)

	run atomic.Pointer[group] // the present or last run of Serve
}

// Serve starts the children in order and waits until all have ended for good. Then it returns nil. If ctx is done
// first, it stops them, one at a time in reverse order, and returns the error of ctx. If a child fails more often than
// its limit allows, it stops the others and returns a *LimitError; if a failure is passed up, an *EscalatedError; if it
// is fatal, the error with the names of the children on the path in front.
//
// A child that would not stop in time is left behind. If it was not started again since, and its goroutine still runs
// when Serve returns, any of these becomes an *AbandonedError that wraps it; nil too, so that nil means that all have
// really ended. An earlier life beside which the child was started again is not told of, see Child.Abandon.
//
// A child without Serve and Group or with both, two with the same name, a Supervisor at two places of the tree, a Check
// without Probe and a second Serve at the same time are wiring mistakes: Serve panics.
func (s *Supervisor) Serve(ctx context.Context) error {
	s.mustBeWired(map[*Supervisor]bool{})
	t := &tree{onEvent: s.OnEvent, leftovers: leftovers{lives: map[*Child]*life{}}}
	defer t.close()
	err := s.serve(ctx, t, "")
	if left := t.leftovers.under(s, ""); len(left) > 0 {
		return &AbandonedError{Children: left, Cause: err}
	}
	return err
}

// serve is Serve at a place of a tree; path is empty at the root.
func (s *Supervisor) serve(ctx context.Context, t *tree, path string) error {
	before := s.run.Load()
	g := newGroup(ctx, s, t, path, before)
	if before != nil && !before.isGone() || !s.run.CompareAndSwap(before, g) {
		panic(fmt.Sprintf("supervise: supervisor %q is served twice at the same time", s.Name))
	}
	defer g.leave()
	if ctx.Err() == nil {
		for _, m := range g.members {
			g.start(m)
		}
		if path != "" {
			Running(ctx)
		}
	}
	g.manage(ctx)
	return g.ending.err
}

func (s *Supervisor) mustBeWired(seen map[*Supervisor]bool) {
	if seen[s] {
		panic(fmt.Sprintf("supervise: supervisor %q is in two places of the tree", s.Name))
	}
	seen[s] = true
	names := make(map[string]bool, len(s.Children))
	for i := range s.Children {
		c := &s.Children[i]
		name := c.name()
		switch {
		case c.Serve == nil && c.Group == nil:
			panic(fmt.Sprintf("supervise: child %q has no Serve and no Group", name))
		case c.Serve != nil && c.Group != nil:
			panic(fmt.Sprintf("supervise: child %q has both Serve and Group", name))
		case c.Group != nil && name == "":
			panic("supervise: a nested group has no name")
		case names[name]:
			panic(fmt.Sprintf("supervise: two children are named %q", name))
		}
		names[name] = true
		for _, check := range c.Checks {
			if check.Probe == nil {
				panic(fmt.Sprintf("supervise: check %q of child %q has no Probe", check.name(), name))
			}
		}
		if c.Group != nil {
			c.Group.mustBeWired(seen)
		}
	}
}
