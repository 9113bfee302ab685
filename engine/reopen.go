package engine

import (
	"context"

	"penstock/dlq"
)

// reopens says whether a stage that has ended goes on: a dead letter of its own
// comes back, or a stage that it reads goes on and it had read that to its end.
func (in *session) reopens(ctx context.Context) (bool, error) {
	again := false
	for k, producer := range in.producers {
		if in.taken[k].Load() < in.written(k) {
			return false, nil // it ended by itself, and takes no more
		}
		again = again || producer.reopen
	}
	if !again && in.replays != nil {
		_, found, err := in.run.letters.NextReplay(ctx, in.definition.name, 0, in.replays.input.committed.Offset)
		if err != nil {
			return false, err
		}
		again = found
	}
	if again {
		in.log.Info("the stage had ended and goes on for a dead letter that is replayed")
		in.reopen = true
		in.isEnded.Store(false)
		in.stopped.Store(false)
	}
	return again, nil
}

// replaysWait says whether dead letters of a complete run are to be replayed:
// then it is not over yet.
func (r *run) replaysWait(ctx context.Context) (bool, error) {
	letters, found, err := dlq.Lookup(ctx, r.broker.JetStream(), r.pipeline.name)
	if err != nil || !found {
		return false, err
	}
	waiting, err := letters.PendingReplays(ctx)
	return len(waiting) > 0, err
}
