package supervise_test

import "penstock/engine/supervise"

// reason returns the reason that fits how a life ended.
func (s *state) reason() supervise.Reason {
	switch {
	case s.unwell:
		return supervise.Unhealthy
	case s.result == panics || s.result == panicsNil || s.result == exits || s.result == fatal:
		return supervise.Panic
	}
	return supervise.Error
}

// verdict is what may follow the end of a life.
type verdict struct {
	kind    supervise.EventKind // BackingOff may be Escalated instead, if the account says so
	single  bool                // no sibling is restarted with it
	counted bool
}

// verdict works out what the end of a life leads to if nobody else has to do with it.
func (n *node) verdict(s *state) verdict {
	again := verdict{kind: supervise.BackingOff, counted: s.unwell || s.how != uncounted}
	switch {
	case s.how == fatal:
		return verdict{kind: supervise.Escalated}
	case s.unwell: // whatever Serve returned
	case s.how == ends || s.how == runs:
		if n.policy == supervise.Permanent {
			return again
		}
		return verdict{kind: supervise.Stopped}
	}
	if n.script.recover != nil {
		switch {
		case s.recovery == panics || s.recovery == hangs || s.decision == supervise.PassUp:
			return verdict{kind: supervise.Escalated}
		case s.decision == supervise.Restart:
			return again
		case s.decision == supervise.Ignore:
			return verdict{kind: supervise.BackingOff, single: true}
		case s.decision == supervise.GiveUp:
			return verdict{kind: supervise.GivenUp}
		}
	}
	switch {
	case s.how == escalates:
		return verdict{kind: supervise.Escalated}
	case n.policy == supervise.Temporary:
		return verdict{kind: supervise.GivenUp}
	}
	return again
}

// recoverable says whether a recovery function is asked about the end of a life.
func (s *state) recoverable() bool {
	return s.how != fatal && (s.unwell || s.how != ends && s.how != runs && s.how != obeys)
}

// decided checks what the supervisor makes of the end of a life.
func (o *oracle) decided(n *node, s *state, e supervise.Event) {
	g := o.states[n.parent]
	if s.alive {
		o.complain(inOrder, "%s: event %q while it runs", n.path, e.Kind)
	}
	want, why := n.verdict(s), o.why(n)
	acc, limit := o.account(n, s)
	full := want.kind == supervise.BackingOff && want.counted && o.isFull(*acc, limit)
	switch {
	case !s.undecided:
		o.undone(n, g, s, e, why)
		return
	case e.Kind == supervise.BackingOff && o.waiting(n) != nil && s.recovery == runs && !s.unwell && s.order == 0:
		o.complain(byPolicy, "%s %v when it was about to be stopped with a sibling, and that counts", n.path, s.how)
	case e.Kind == want.kind && full:
		o.complain(inLimit, "%s is restarted once more than the limit of %d in %v allows", n.path, limit.Restarts, limit.Window)
	case e.Kind == want.kind:
	case e.Kind == supervise.Escalated && full:
	case e.Kind == supervise.Escalated && want.kind == supervise.BackingOff:
		o.complain(inLimit, "%s is escalated, and its limit of %d in %v is not reached", n.path, limit.Restarts, limit.Window)
	case e.Kind == supervise.Escalated && s.how == escalates && why != "": // heard even then
	case e.Kind == supervise.Stopped && e.Reason == supervise.Shutdown && why != "" && s.how != fatal &&
		(s.how != escalates || s.recovery != runs):
	default:
		o.complain(byPolicy, "%s (%v) %v, recovery %v/%v, and then %q with reason %v instead of %q (%s)",
			n.path, n.policy, s.how, s.recovery, s.decision, e.Kind, e.Reason, want.kind, why)
	}
	s.undecided = false
	switch e.Kind {
	case supervise.BackingOff:
		if want.counted {
			*acc = append(*acc, o.now)
		}
		o.plan(n, s, e, want.single)
	case supervise.GivenUp:
		s.rest = givenUp
	case supervise.Escalated:
		g.closing, g.escalated = true, true
		if n.parent == o.root {
			o.failures = append(o.failures, e.Err)
		}
	case supervise.Stopped:
		if e.Reason == supervise.Normal {
			s.rest = endedWell
		} else {
			s.how, s.unwell = obeys, false
		}
	}
	if n.script.recover != nil && s.recoverable() && s.recovery == runs && why == "" {
		o.complain(byPolicy, "%s %v, and its recovery function is not asked", n.path, s.how)
	}
	if bad := s.recovery == panics || s.recovery == hangs; bad != s.recoveryFailed {
		o.complain(byPolicy, "%s: its recovery function %v, told to have failed: %v", n.path, s.recovery, s.recoveryFailed)
	}
}

// undone checks an event that is not about the end of a life.
func (o *oracle) undone(n *node, g, s *state, e supervise.Event, why string) {
	switch {
	case e.Kind == supervise.GivenUp && n.policy == supervise.Temporary && s.how == obeys && !s.unwell && why == "restart":
		s.rest = givenUp
	case e.Kind == supervise.Stopped && e.Reason == supervise.Shutdown && why != "":
		if s.order == 0 { // it waited for a restart that does not come any more
			if o.waiting(n) == nil && !g.closing && n.parent != o.root {
				o.tell(n.parent, o.states[n.parent])
			}
			g.closing = true
		}
	default:
		o.complain(byPolicy, "%s: event %q, and it did not end", n.path, e.Kind)
	}
}

func (o *oracle) childEnd(n *node, s *state, e supervise.ChildEnd) {
	if s.undecided && (s.order != 0 || o.left[n.path] && (o.why(n) != "" || s.answered && s.answeredAt == o.now)) { // its end does not matter, and no event is due
		s.undecided, s.unwell, s.how = false, false, obeys
	}
	if e.Policy != n.policy {
		o.complain(byPolicy, "%s is told to be %v", n.path, e.Policy)
	}
	if e.Restarting && s.rest != notResting {
		o.complain(byPolicy, "%s is told to be restarted, and it stays down", n.path)
	}
}
