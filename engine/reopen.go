package engine

import (
	"context"
	"fmt"
)

// reopens says whether a stage that has ended goes on: a dead letter of its own
// comes back, or a stage that it reads goes on and it had read that to its end.
// That may also be because a cut of the power took the end of that stage, and
// left the end of this one.
func (t *task) reopens(ctx context.Context) (bool, error) {
	control, _ := t.committed.Last()
	again := false
	for k, producer := range t.producers {
		if control.UsedUp && !producer.hasEnded() {
			ours, err := producer.isOurs(ctx)
			if err != nil || !ours { // else who ended this stage has ended that one, too
				return false, err
			}
			again = true
			continue
		}
		if t.taken(k) < t.writtenTo(k) {
			return false, nil // it ended by itself, and takes no more
		}
		again = again || producer.goesOn()
	}
	if !again && t.inbox.replays != nil {
		_, found, err := t.run.letters.NextReplay(ctx, t.id.Stage, t.id.Number, t.inbox.replays.input.committed.Offset)
		if err != nil {
			return false, err
		}
		again = found
	}
	if again {
		t.log.Info("the stage had ended and runs again: to handle a replayed dead letter, or because a stage that it reads runs again")
		t.reopened = true
		t.phase.on(reopens)
	}
	return again, nil
}

// isOurs says whether the last frame of the stage is that of its task.
func (in *instance) isOurs(ctx context.Context) (bool, error) {
	s := in.task.Load()
	if s == nil {
		return false, nil
	}
	last, found, err := in.channel.Last(ctx)
	if err != nil {
		return false, fmt.Errorf("look at the channel of stage %s: %w", in.definition.Name, err)
	}
	return found && last.Frame.Owner == s.ownership.owner, nil
}
