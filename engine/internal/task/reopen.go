package task

import (
	"context"
	"fmt"
)

// reopens says whether a stage that has ended goes on: a dead letter of its own
// comes back, or a stage that it reads goes on and it had read that to its end.
// That may also be because a cut of the power took the end of that stage, and
// left the end of this one.
func (t *Task) reopens(ctx context.Context) (bool, error) {
	control, _ := t.Committed.Last()
	again := false
	for k := range t.Edges {
		producer := t.Edges[k].Producer
		if control.UsedUp && !producer.hasEnded() {
			ours, err := producer.isOurs(ctx)
			if err != nil || !ours { // else who ended this stage has ended that one, too
				return false, err
			}
			again = true
			continue
		}
		if t.taken(k) < t.WrittenTo(k) {
			return false, nil // it ended by itself, and takes no more
		}
		again = again || producer.goesOn()
	}
	if !again && t.Inbox.Replays != nil {
		_, found, err := t.Run.Letters.NextReplay(ctx, t.ID.Stage, t.ID.Number, t.Inbox.Replays.input.Committed.Offset)
		if err != nil {
			return false, err
		}
		again = found
	}
	if again {
		t.Log.Info("the stage had ended and runs again: to handle a replayed dead letter, or because a stage that it reads runs again")
		t.reopened = true
		t.Phase.On(reopens)
	}
	return again, nil
}

// isOurs says whether the last frame of the stage is that of its task.
func (in *Instance) isOurs(ctx context.Context) (bool, error) {
	s := in.Task.Load()
	if s == nil {
		return false, nil
	}
	last, found, err := in.Channel.Last(ctx)
	if err != nil {
		return false, fmt.Errorf("look at the channel of stage %s: %w", in.Definition.Name, err)
	}
	return found && last.Frame.Owner == s.Ownership.Owner, nil
}
