package engine

import (
	"context"

	"penstock/dlq"
	"penstock/engine/internal/origins"
	"penstock/engine/internal/plan"
)

// takeableReplays counts the requests for replays that a stage can take, and withdraws the others: a stage was renamed
// or removed, or its letter is gone. A request without a stage would keep a complete run from its end for good. The
// letter stays, so that nothing but the request is lost.
func (r *run) takeableReplays(ctx context.Context, q *dlq.Queue) (n int, err error) {
	err = q.EachReplay(ctx, func(request dlq.Replay, unreadable error) error {
		if unreadable != nil {
			n++ // its stage says so, if there is one
			return nil
		}
		if err := origins.Takes(r.Plan, request.Stage, request.Instance, request.Letter.Input); err != nil {
			id := plan.InstanceID{Stage: request.Stage, Number: request.Instance}
			if done, err := origins.On(r.broker, r.Plan.Name, r.keys).HasReplayed(ctx, id, request.Sequence); err != nil {
				return err
			} else if done { // its process died before the letter was deleted, and the stage is gone since
				return q.Settle(ctx, request)
			}
			r.Log.Warn("withdrew a replay that no stage can take; the dead letter is kept", "id", request.Letter.ID(), "error", err)
			return q.Withdraw(ctx, request)
		}
		current, err := q.IsCurrent(ctx, request)
		if err == nil && !current {
			return q.Withdraw(ctx, request)
		}
		n++
		if err != nil {
			return err
		}
		return r.readdress(ctx, q, request)
	})
	return n, err
}

// readdress gives a request for an instance that was retired to partition 0, which passes it on to the one that has the
// key, unless that instance has committed its effect.
func (r *run) readdress(ctx context.Context, q *dlq.Queue, request dlq.Replay) error {
	first := r.Plan.Stage(request.Stage).Layout().First
	if request.Instance >= first || r.store == nil { // before the store is open it is not sure which one that is
		return nil
	}
	id := plan.InstanceID{Stage: request.Stage, Number: request.Instance}
	done, err := origins.On(r.broker, r.Plan.Name, r.keys).HasReplayed(ctx, id, request.Sequence)
	switch {
	case err != nil:
		return err
	case done:
		return q.Settle(ctx, request)
	}
	whole, found, err := q.NextReplay(ctx, request.Stage, request.Instance, request.Sequence) // with its value
	if err != nil || !found || whole.Sequence != request.Sequence {
		return err
	}
	return q.PassOn(ctx, whole, first)
}
