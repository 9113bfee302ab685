package supervise_test

import (
	"fmt"
	"time"

	"penstock/engine/supervise"
)

// oracle goes through a log and says what must not be. It knows the promises, and nothing of how they are kept.
type oracle struct {
	root       *node
	all        []*node
	nodes      map[string]*node
	states     map[*node]*state
	now        time.Duration
	cancelled  bool
	returned   bool
	failures   []error         // why the root stops
	left       map[string]bool // ever abandoned
	complaints []string
}

func judge(root *node, log []entry) []string {
	o := &oracle{root: root, nodes: map[string]*node{}, states: map[*node]*state{}, left: map[string]bool{}}
	root.walk(func(n *node) {
		o.all = append(o.all, n)
		o.nodes[n.path] = n
		o.states[n] = &state{lives: map[int]*life{}}
	})
	o.states[root].alive = true
	for _, e := range log {
		if e.when > o.now && !o.returned {
			o.moment(e.when)
		}
		o.now = e.when
		o.take(e)
	}
	return o.complaints
}

func (o *oracle) complain(rule, format string, args ...any) {
	o.complaints = append(o.complaints, fmt.Sprintf("%s: at %.3f: ", rule, o.now.Seconds())+fmt.Sprintf(format, args...))
}

func (o *oracle) take(e entry) {
	n := o.nodes[e.path]
	if n == nil || n == o.root && e.what < settled {
		o.complain(obedient, "there is no child %q", e.path)
		return
	}
	s := o.states[n]
	switch e.what {
	case event:
		o.event(n, s, e.event)
	case childEnd:
		o.childEnd(n, s, e.end)
	case began:
		o.began(n, s, e.life)
	case told:
		o.told(n, s, e)
	case ended:
		o.ended(s, e)
	case said:
		s.said = s.said || s.lives[e.life] != nil
	case asked:
		if s.decision, s.recovery = e.decision, e.how; !s.undecided || !s.recoverable() || !n.group && e.fault.Reason != s.reason() {
			o.complain(byPolicy, "%s %v, and its recovery function is asked about %v", n.path, s.how, e.fault.Reason)
		}
	case probed:
		o.probed(s, e)
	case ordered:
		s.order, s.obeyed, s.reborn = e.order, e.order == startIt && (s.alive || s.undecided), false
		o.states[n.parent].disturbed = true
	case answered:
		o.answered(n, s, e.err)
	case settled:
		o.settled(o.root, e.status)
	case cancelled:
		o.cancelled = true
	case returned:
		o.servedAll(e.err)
	case stuck:
		o.complain(atTheEnd, "Serve does not return")
	}
}

func (o *oracle) event(n *node, s *state, e supervise.Event) {
	if o.returned {
		o.complain(atTheEnd, "%s: event %q after Serve returned", n.path, e.Kind)
		return
	}
	switch e.Kind {
	case supervise.Starting, supervise.Restarting:
		o.start(n, s, e.Kind)
	case supervise.Up:
		o.isUp(n, s)
	case supervise.Failed:
		o.over(n, s)
		if e.Reason == supervise.Unhealthy && s.undecided && s.downAt == o.now && n.check.Threshold > 0 && o.probesFailed(n, s) >= n.check.Threshold {
			s.unwell = true // it was told so, and ended at that very moment without looking
		}
		if want := s.reason(); !n.group && e.Reason != want {
			o.complain(byPolicy, "%s %v, and its failure has the reason %v instead of %v", n.path, s.how, e.Reason, want)
		}
	case supervise.RecoveryFailed:
		s.recoveryFailed = true
	case supervise.Abandoned:
		o.abandoned(n, s)
	case supervise.BackingOff, supervise.Stopped, supervise.GivenUp, supervise.Escalated:
		o.over(n, s)
		o.decided(n, s, e)
	}
}

// The rules, as complaints name them.
const (
	inOrder   = "order"    // stops before starts, backwards and forwards; one life at a time
	inReach   = "reach"    // nobody is touched but those in reach of a failure
	inLimit   = "limit"    // as many restarts as an account allows, and no fewer
	inTime    = "delay"    // not before its delay is over, nor after
	byPolicy  = "policy"   // what is restarted after which end
	upAgain   = "settled"  // in the end all run that should
	atTheEnd  = "shutdown" // Serve returns what happened, and nothing happens any more
	wellFound = "health"   // a child is unhealthy after so many failures
	obedient  = "command"  // operators get what they ordered
)
