package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/register"
	"penstock/engine/internal/rule"
	"penstock/engine/internal/waits"
)

// A claim that loses is tried again: the other one may be of a process that was killed, and late. Of processes that
// start at the same time all but one give up at last.
const (
	claimTries = 10
	claimDelay = 10 * time.Millisecond // after the first
)

// own makes the task the owner of its stage, from whichever process owned it before. It competes with other claims
// only, never with the commits of that process.
func (t *Task) own(ctx context.Context) error {
	if !rule.Fencing {
		return nil
	}
	delay := claimDelay
	for try := 1; ; try++ {
		err := t.takeOver(ctx)
		var lost *register.LostError
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case !errors.As(err, &lost):
			return t.escalate(fmt.Errorf("stage %s: take it over: %w", t.Definition.Name, err))
		}
		err = ownershipLost{&FencedError{Stage: t.Definition.Name, Epoch: lost.Epoch, OwnerEpoch: lost.OwnerEpoch, OwnerPlace: t.ownerPlace(ctx)}, t.Instance}
		if try == claimTries {
			return err
		}
		if isOurs, lookErr := t.Run.stillOwns(ctx, t.Instance); lookErr != nil || !isOurs {
			return errors.Join(err, lookErr)
		}
		if err := t.Run.Clock.Pause(ctx, delay); err != nil {
			return err
		}
		delay *= 2
	}
}

// takeOver claims once.
func (t *Task) takeOver(ctx context.Context) error {
	c := &register.Claimant{Log: t.Channel, Clock: t.Run.Clock, Owner: t.Ownership.Owner, Notes: t.Run.place(), Stage: t.Definition.Name, OnTry: t.noteTry}
	s := &successor{task: t}
	defer t.Waiting.waits.End(waits.Commit)
	defer t.Waiting.waits.End(waits.Permission)
	taken, err := c.TakeOver(ctx, s)
	if err != nil {
		return err
	}
	t.Ownership.taken = taken
	t.Committed.Accept(&s.fence.frame, taken.Fence)
	t.published(s.fence, taken.Fence)
	faultpoint.Hit(faultpoint.AfterFence, t.Definition.Name)
	t.resumes = resumption{s.before.Commit, t.TakenOf(&s.before)}
	return nil
}

// place is what the register tells of this process.
func (r *Run) place() frame.Notes {
	if r.Dir == nil {
		return nil
	}
	return channel.OwnerAt(r.Dir.Path, nil).Notes()
}

// noteTry names the wait for the answer to a step of a take-over.
func (t *Task) noteTry(cause error) {
	t.Waiting.waits.Begin(waitFor(cause, waits.Commit), t.Run.Explain(cause))
}

// stillOwns says whether this process still owns the first stage that it has taken over, where there is one. Of
// processes that start at the same time the one that has it goes on.
func (r *Run) stillOwns(ctx context.Context, before *Instance) (bool, error) {
	for _, in := range r.Instances {
		if in == before {
			break
		}
		s := in.Task.Load()
		if s == nil || s.Ownership.taken.Fence == 0 { // it had ended
			continue
		}
		newest, found, err := in.Channel.Newest(ctx)
		return found && newest.Frame.Owner == s.Ownership.Owner, err
	}
	return true, nil
}

// successor is what a take-over needs of the task.
type successor struct {
	task   *Task
	before frame.Frame // the last commit
	fence  *txn
}

// CatchUp brings the task up to the last commit before the seal.
func (s *successor) CatchUp(ctx context.Context, _ *register.Taken) error {
	t := s.task
	known, _ := t.Committed.Last()
	if err := t.recover(ctx); err != nil {
		return err
	}
	if now, _ := t.Committed.Last(); now.Commit > known.Commit {
		t.Log.Warn("another process owned the stage until now; taking it over", "owner_epoch", now.Epoch)
	}
	if !t.Phase.IsEnded() {
		return nil
	}
	if t.reopened {
		t.Phase.On(reopens)
		return nil
	}
	_, err := t.reopens(ctx) // the owner before has ended it meanwhile
	return err
}

// Fence is an empty commit that holds everything a start needs, so that older frames may be trimmed.
func (s *successor) Fence(taken *register.Taken) ([]byte, error) {
	t := s.task
	control, sequence := t.Committed.Last()
	fence := control
	fence.Owner, fence.Epoch, fence.Commit = t.Ownership.Owner, taken.Epoch, control.Commit+1
	fence.Kind, fence.Claim, fence.Layout = frame.KindFence, frame.Claim{Sequence: taken.Claim}, 0
	if control.Ended && t.reopened {
		fence.Ended, fence.EndPhase, fence.Cursor = false, false, ""
	}
	if fence.Tally.IsZero() {
		fence.Tally = t.Observed.Stats.before
	}
	fence.Timers = append([]int64(nil), t.timers.due...)
	fence.Sections = make([]frame.Section, len(t.Progress.next))
	for d, destination := range t.Definition.Destinations() {
		fence.Sections[d] = frame.Section{Branch: destination.Branch(), Partition: uint32(destination.Instance), Base: t.Progress.next[d].Load()}
	}
	data, err := frame.Append(nil, &fence, frame.Options{})
	if err != nil {
		return nil, err
	}
	t.Ownership.Epoch = fence.Epoch
	s.before, s.fence = control, &txn{frame: fence, data: data, expected: sequence}
	return data, nil
}
