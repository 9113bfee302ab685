package engine

import (
	"context"
	"errors"
	"fmt"

	"penstock/dlq"
	"penstock/engine/internal/plan"
)

// takeBackLetters deletes the dead letters whose messages are to be taken again:
// a letter is kept before the commit that passes its message, and that commit is
// lost or taken back, whatever replays made of the letter since. The message may
// even be another one by now.
func (r *run) takeBackLetters(ctx context.Context) error {
	taken := 0
	err := r.queue.Select(ctx, dlq.Filter{WithoutValues: true}, func(l dlq.Letter) error {
		if !r.isUntaken(l) {
			return nil
		}
		taken++
		return r.queue.Discard(ctx, l)
	})
	if errors.Is(err, dlq.ErrDamaged) { // another client's, which belongs to no message
		r.Log.Warn("the stream of the dead letters holds other messages", "error", err)
		err = nil
	}
	if err != nil {
		return fmt.Errorf("roll back dead letters: %w", err)
	}
	if taken > 0 {
		r.Log.Warn("rolled back dead letters of lost commits; their messages are processed again", "letters", taken)
	}
	return nil
}

// isUntaken says that a stage has not taken the message of a letter.
func (r *run) isUntaken(l dlq.Letter) bool {
	in := r.InstanceOf(plan.InstanceID{Stage: l.Stage, Number: l.Instance})
	if in == nil {
		return false
	}
	i := in.Task.Load().OriginOf(&l)
	return i != nil && i.From.Number == l.InputInstance && !i.Committed.Consumed(l.Offset)
}
