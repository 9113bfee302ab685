package supervise_test

import (
	"context"
	"errors"
	"slices"

	"penstock/engine/supervise"
)

// settled checks that, long after the last fault, all run that should, and that the status says so.
func (o *oracle) settled(group *node, status []supervise.ChildStatus) {
	for i, n := range group.kids {
		s, st := o.states[n], status[i]
		want := map[rest]supervise.State{endedWell: supervise.StateEnded, givenUp: supervise.StateGivenUp, byOperator: supervise.StateStopped}
		switch {
		case s.rest != notResting:
			if st.State != want[s.rest] {
				o.complain(upAgain, "%s is %v instead of %v", n.path, st.State, want[s.rest])
			}
		case !s.alive || !n.group && len(s.lives) != 1:
			o.complain(upAgain, "%s does not run, and should", n.path)
		case st.State != supervise.StateRunning && st.State != supervise.StateStarting:
			o.complain(upAgain, "%s runs, and its status is %v", n.path, st.State)
		}
		if st.Name != n.name || st.Starts != s.starts {
			o.complain(upAgain, "%s was started %d times, and its status is %+v", n.path, s.starts, st)
		}
		if n.group && s.alive {
			o.settled(n, st.Children)
		}
	}
}

// servedAll checks how the root's Serve returned.
func (o *oracle) servedAll(err error) {
	o.returned = true
	for _, n := range o.all[1:] {
		if o.states[n].alive {
			o.complain(atTheEnd, "%s still runs when Serve returns", n.path)
		}
	}
	cause, named := err, []string(nil)
	if left, ok := err.(*supervise.AbandonedError); ok {
		cause, named = left.Cause, left.Children
	}
	switch {
	case o.isFatal(o.root):
		if !errors.Is(cause, errFatal) || !supervise.IsFatal(cause) {
			o.complain(atTheEnd, "Serve returned %v, and something fatal happened", err)
		}
	case len(o.failures) > 0:
		if !errors.Is(cause, o.failures[0]) {
			o.complain(atTheEnd, "Serve returned %v instead of %v", err, o.failures[0])
		}
	case cause == nil && o.allRest(o.root):
	case o.cancelled && errors.Is(cause, context.Canceled):
	default:
		o.complain(atTheEnd, "Serve returned %v for no reason", err)
	}
	o.namesLeft(named)
}

// namesLeft checks that those, and in start order, are named who still run.
func (o *oracle) namesLeft(named []string) {
	var order []string
	for _, n := range o.all {
		s, isNamed := o.states[n], slices.Contains(named, n.path)
		switch {
		case !isNamed && len(s.behind) > 0:
			o.complain(atTheEnd, "%s was abandoned and still runs, and is not named: %v", n.path, named)
		case isNamed && (!o.left[n.path] || len(s.behind) == 0 && s.lastEnd < o.now): // at this very moment it may still have run
			o.complain(atTheEnd, "%s is named, and its last life was not left behind, or is over: %v", n.path, named)
		}
		if isNamed {
			order = append(order, n.path)
		}
	}
	if !slices.Equal(order, named) {
		o.complain(atTheEnd, "named in the wrong order, or twice: %v", named)
	}
}
