package task

import (
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// ownershipLost is the FencedError of an instance. A function of a stage may return that of another pipeline, which
// says nothing of the stage.
type ownershipLost struct {
	*FencedError
	by *Instance
}

func (e ownershipLost) Unwrap() error { return e.FencedError }

// takenOver ends the task of a stage that another process owns now: there is nothing to restart. What becomes of the
// other stages of this process is for the run to decide.
func (in *Instance) takenOver(err *FencedError) error {
	in.Run.tell(supervise.Event{Kind: observe.TakenOver, Child: in.Definition.Name, Err: err})
	in.Run.OnTakenOver(err)
	return supervise.ErrDone
}
