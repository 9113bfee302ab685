package task

import (
	"fmt"
	"time"

	"penstock/engine/supervise"
)

// explain adds to a wait what only the stages that it waits for know, and whether they have a good reason.
func (in *Instance) explain(wait *currentWait, now time.Time) {
	switch wait.kind {
	case waitRoom:
		patience := waitRules[waitRoom].lasts(in.Run.Settings.Patience)
		who, isGood := in.slowestReader(wait.Since.Add(patience), now)
		wait.Detail = who
		isGood = isGood || in.Run.IsDraining() // a drain is a wait with a name, and has an end
		if in.Waiting.room.covers(isGood, now, patience) {
			wait.Overdue, wait.Readiness = false, ""
		}
	case waitHeld:
		in.explainHeld(wait)
	case waitUnavailable:
		if wait.Overdue {
			wait.Readiness = in.Run.Settings.Readiness
		}
	}
}

// slowestReader says which reader keeps the channel full, what it is doing, and whether that is a good reason to wait
// for room; see doing.
func (in *Instance) slowestReader(overdue, now time.Time) (what string, isGood bool) {
	slowest, most := in.slowest()
	if slowest == nil {
		return "stored frames must be trimmed first", false
	}
	stream := in.Definition.Destinations()[slowest.destination]
	does, isGood := slowest.doing(slowest.input, overdue, now)
	return fmt.Sprintf("%s has %d messages of %s to consume, and %s", slowest.StageName(), most, stream, does), isGood
}

// doing says what a stage does while it takes nothing from an input, and whether that is a good reason. A reason is
// good if it ends by itself, or if the stage reports it by its own state or waits: then those that wait for the stage
// need not report it again. A held message is no good reason, because nothing but the wait for room shows that nothing
// moves. For a Snooze see Wait.excuses.
func (in *Instance) doing(input int, overdue, now time.Time) (what string, isGood bool) {
	if in.Phase.isGivenUp() {
		return "was given up", false
	}
	children := map[string]supervise.ChildStatus{}
	Index(children, in.Run.Supervisor.Status())
	state := children[in.Definition.Name].State
	if state != supervise.StateRunning && state != supervise.StateStarting {
		return "is " + state.String(), true
	}
	if what, isGood, found := reasonOf(in.WaitsNow(now), input+1, overdue, now); found {
		return what, isGood
	}
	if state == supervise.StateStarting {
		return "is " + state.String(), true
	}
	return "consumes none", false
}

// reasonOf finds among the waits of a stage why it takes nothing from an input (counted from 1); see doing.
func reasonOf(list []currentWait, input int, overdue, now time.Time) (what string, isGood, found bool) {
	var cause *currentWait
	for k := range list {
		switch wait := &list[k]; {
		case wait.input != 0 && wait.input != input: // of another input
		case wait.kind == waitHeld:
			return "holds the next one (" + wait.Detail + ") since " + wait.Since.Format(time.TimeOnly), wait.excuses(overdue, now), true
		case wait.kind == waitFunction:
			return "works since " + wait.Since.Format(time.TimeOnly), true, true
		case cause == nil && !waitRules[wait.kind].follows:
			cause = wait
		}
	}
	if cause == nil {
		return "", false, false
	}
	return "waits for " + cause.String(), true, true
}

func Index(into map[string]supervise.ChildStatus, children []supervise.ChildStatus) {
	for _, c := range children {
		into[c.Name] = c
		Index(into, c.Children)
	}
}
