package task

import (
	"fmt"
	"time"

	"penstock/engine/internal/waits"
	"penstock/engine/supervise"
	"penstock/internal/counted"
)

// explain adds to a wait what only the stages that it waits for know, and whether they have a good reason.
func (in *Instance) explain(wait *waits.Wait, now time.Time) {
	switch wait.Kind {
	case waits.Room:
		patience := waits.Room.Lasts(in.Run.Settings.Patience)
		who, isGood := in.slowestReader(wait.Since.Add(patience), now)
		wait.Detail = who
		isGood = isGood || in.Run.IsDraining() // a drain is a wait with a name, and has an end
		if in.Waiting.room.Covers(isGood, now, patience) {
			wait.SetNotOverdue()
		}
	case waits.Held:
		in.explainHeld(wait)
	case waits.Unavailable:
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
	stream := in.Definition.Destinations()[slowest.destination].Stream
	does, isGood := slowest.doing(slowest.edge, overdue, now)
	return fmt.Sprintf("%s has %s of %s to consume, and %s", slowest.StageName(), counted.Things(most, "message"), stream, does), isGood
}

// doing says what a stage does while it takes nothing from an input, and whether that is a good reason. A reason is
// good if it ends by itself, or if the stage reports it by its own state or waits; for the waits see [waits.ReasonOf].
func (in *Instance) doing(edge int, overdue, now time.Time) (what string, isGood bool) {
	if in.Phase.isGivenUp() {
		return "was given up", false
	}
	children := map[string]supervise.ChildStatus{}
	Index(children, in.Run.Supervisor.Status())
	state := children[in.StageName()].State
	if state != supervise.StateRunning && state != supervise.StateStarting {
		return "is " + state.String(), true
	}
	if what, isGood, found := waits.ReasonOf(in.WaitsNow(now), edge+1, overdue, now); found {
		return what, isGood
	}
	if state == supervise.StateStarting {
		return "is " + state.String(), true
	}
	return "consumes none", false
}

// Index maps the children of a supervisor, and theirs, by their names.
func Index(into map[string]supervise.ChildStatus, children []supervise.ChildStatus) {
	for _, c := range children {
		into[c.Name] = c
		Index(into, c.Children)
	}
}
