package task

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/view"
	"penstock/engine/remedy"
)

// checkRetired refuses an instance whose work goes on in others, of which this directory does not know: only a change
// that this directory has begun, and not decided, is taken back.
func (in *Instance) checkRetired() error {
	control, _ := in.Committed.Last()
	if control.Kind != frame.KindRetired {
		return nil
	}
	if l, found := in.Run.Moving[in.ID.Stage]; found && uint64(l.First) == control.Layout {
		return nil
	}
	return remedy.Errorf("%w: the number of partitions of stage %s was changed from another data directory: instance %s is retired, and the states are there; "+
		"use that directory, named with %v, or start over with %v", view.ErrRefused, in.Definition.Name, in.ID, remedy.Dir, remedy.Fresh)
}

// Retire commits the last frame of an instance that has stopped and whose work goes on in the instances of the next
// layout. It has all that the instance has taken, so that dead letters can be checked for good. No other owner may
// have come meanwhile: that is a [FencedError].
func (in *Instance) Retire(ctx context.Context, next plan.Layout) error {
	control, sequence := in.Committed.Last()
	f := control
	f.Owner, f.Epoch = in.Task.Load().Ownership.Owner, in.Task.Load().Ownership.Epoch
	f.Kind, f.Claim, f.Layout, f.Commit = frame.KindRetired, frame.Claim{}, uint64(next.First), control.Commit+1
	if _, err := in.Run.PublishTo(ctx, in.Channel, in.ID, &f, sequence); err != nil {
		return fmt.Errorf("retire instance %s: %w", in.ID, err)
	}
	return nil
}

// PublishTo commits a frame of an instance that no task works for, behind the commit with a sequence, 0 for none. Where
// another commit is there it is a [FencedError].
func (r *Run) PublishTo(ctx context.Context, to ports.OwnedLog, id plan.InstanceID, f *frame.Frame, before uint64) (sequence uint64, err error) {
	data, err := frame.Append(nil, f, frame.Options{})
	if err != nil {
		return 0, err
	}
	for expected := before; ; {
		pending := to.Publish(data, expected, channel.Trace{})
		if err := r.Clock.Until(ctx, pending.Done()); err != nil {
			return 0, err
		}
		sequence, err := pending.Result()
		if err == nil || !errors.Is(err, channel.ErrConflict) && !errors.Is(err, channel.ErrUnknown) {
			return sequence, err
		}
		last, found, lookErr := to.End(ctx)
		switch {
		case lookErr != nil:
			return 0, errors.Join(err, lookErr)
		case found && last.Frame.Owner == f.Owner && last.Frame.Commit == f.Commit && last.Frame.Kind == f.Kind:
			return last.Sequence, nil // its answer was lost
		case found && last.Sequence != before:
			return 0, &FencedError{Stage: id.Stage, Epoch: f.Epoch, OwnerEpoch: last.Frame.Epoch, OwnerCommit: last.Frame.Commit}
		}
		expected = last.Tail // what is behind it is of another client
		if err := r.Clock.Pause(ctx, claimDelay); err != nil {
			return 0, err
		}
	}
}

// HasFailed says that the message which an edge waits with has failed. The task must have stopped.
func (t *Task) HasFailed(edge int) bool {
	i := t.Inbox.Inputs[edge]
	return i.hasHead && len(t.Failures.Records) > 0 && t.failureOf(i) != nil
}
