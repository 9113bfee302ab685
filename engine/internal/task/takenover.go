package task

import (
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// takenOver ends the session of a stage that another process owns now: there is nothing to restart. What becomes of the
// other stages of this process is for the run to decide.
func (in *Instance) takenOver(err *FencedError) error {
	in.Run.tell(supervise.Event{Kind: observe.TakenOver, Child: in.Definition.Name, Err: err})
	in.Run.OnTakenOver(err)
	return supervise.ErrDone
}
