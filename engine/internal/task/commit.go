package task

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/waits"
)

// publish sends everything the batch holds as one transaction: the commit. It is under way afterwards; Settle ends it.
func (t *Task) publish(ctx context.Context, end bool) error {
	t.Batch.lock() // a source's function, which runs beside this, counts its calls
	t.call = t.unitCall(commitUnit)
	t.Batch.unlock()
	if err := t.delivered(ctx); err != nil {
		return err
	}
	if err := t.beforeCommit(ctx); err != nil {
		return err
	}
	x, err := t.begin(end)
	if err != nil {
		return err
	}
	faultpoint.Hit(faultpoint.BeforePublish, t.Definition.Name)
	x.sent = t.Run.Clock.Now()
	x.publish(t.Channel, x.expected)
	faultpoint.Hit(faultpoint.PublishSent, t.Definition.Name)
	t.Txn = x
	return nil
}

func (t *Task) beforeCommit(ctx context.Context) error {
	if !t.Processor.HasBeforeCommit() {
		return nil
	}
	err := t.hook(ctx, commitUnit, func() error {
		return t.undoneIfAway(func() error { return t.Processor.CallBeforeCommit(ctx) })
	})
	switch {
	case answer.IsUnavailable(err):
		t.isAway(commitUnit, "before commit", err)
		return errNotYet
	case err != nil && !errors.Is(err, errAbandoned):
		return fmt.Errorf("before commit: %w", err)
	case err == nil && t.outages.count.Load() > 0:
		t.isBack(commitUnit)
	}
	return err
}

// errNotYet says that nothing was published: what the commit needs first is
// unavailable. The batch stays as it is.
var errNotYet = errors.New("not yet")

// publishAtLast is publish where nothing else can go on before.
func (t *Task) publishAtLast(ctx context.Context, end bool) error {
	for {
		err := t.publish(ctx, end)
		if !errors.Is(err, errNotYet) {
			return err
		}
		if err := t.awaitTry(ctx, commitUnit); err != nil {
			return err
		}
	}
}

// collect asks for the changes of the state, which the user's codec writes.
func (t *Task) collect() (state frame.State, err error) {
	t.Code.Custody.enter()
	t.Code.saving.enterUnit(commitUnit)
	err = encoding(func() (err error) {
		state, err = t.Processor.Keeper().Collect()
		return err
	})
	t.Code.saving.leave()
	if !t.Code.Custody.leave() {
		return state, errAbandoned
	}
	return state, err
}

// begin makes a transaction of all that the calls since the last one did, and empties the batch.
func (t *Task) begin(end bool) (*txn, error) {
	t.Batch.lock()
	defer t.Batch.unlock()
	state, err := t.collect()
	if err != nil {
		return nil, t.role.unsaved(err)
	}
	control, sequence := t.Committed.Last()
	x := &txn{expected: sequence, frame: frame.Frame{
		Owner:    t.Ownership.Owner,
		Epoch:    t.Ownership.Epoch,
		Commit:   control.Commit + 1,
		Ended:    end,
		UsedUp:   end && t.ending.usedUp,
		Steps:    t.steps,
		Inputs:   t.positions(),
		Timers:   append([]int64(nil), t.timers.due...),
		EndPhase: (t.ending.hook || t.ending.asked && !t.isPermanent()) && !end,
		Cursor:   t.ending.cursor,
		Tally:    control.Tally.Plus(t.Batch.tally),
		State:    state,
		Sections: t.role.finished(),
	}}
	if x.data, err = frame.Append(t.Batch.spare[:0], &x.frame, t.Format.options); err != nil && !errors.Is(err, frame.ErrTooLarge) {
		return nil, fmt.Errorf("encode a frame: %w", err)
	}
	if err != nil || len(x.data) > t.Format.Limits.Frame {
		return nil, t.tooLarge(&x.frame, len(x.data))
	}
	x.trace = t.traceSent()
	x.taken, x.ages = t.Batch.taken, t.Batch.ages
	t.Batch.spare, t.Batch.last = nil, call{}
	t.Committed.Launch(state.Changes)
	t.role.launched(x)
	return x, nil
}

func (t *Task) positions() []frame.Position {
	positions := make([]frame.Position, 0, len(t.Inbox.Inputs))
	for _, i := range t.Inbox.Inputs {
		if i.Replays == nil || i.next > 0 { // there are replays now and then, and positions in every frame
			positions = append(positions, i.position())
		}
	}
	return positions
}

// Settle ends the commit under way once its answer is there, or waits for it.
func (t *Task) Settle(ctx context.Context, wait bool) error {
	if t.Txn == nil || !wait && !t.Txn.IsDone() {
		return nil
	}
	if !t.Txn.IsDone() {
		t.Waiting.waits.Begin(waits.Commit, "no answer yet")
	}
	sequence, err := t.outcome(ctx)
	if err == nil {
		t.settled(sequence)
	} else if ctx.Err() == nil {
		t.traceLost(err)
	}
	return err
}

// outcome waits for what becomes of the transaction under way, and looks into the channel when the answer does not say.
func (t *Task) outcome(ctx context.Context) (sequence uint64, err error) {
	if err := t.Txn.wait(ctx, t.Run.Clock); err != nil {
		return 0, err
	}
	if sequence, err = t.Txn.pending.Result(); err != nil {
		return t.resolve(ctx, err)
	}
	return sequence, nil
}

// settled takes a commit that is in the channel.
func (t *Task) settled(sequence uint64) {
	x := t.Txn
	faultpoint.Hit(faultpoint.AfterPublish, t.Definition.Name)
	t.measure(x)
	t.noteSize(x)
	t.Committed.Accept(&x.frame, sequence)
	t.Txn, t.Batch.spare, t.Batch.closed = nil, x.data, false
	t.Waiting.waits.End(waits.Commit)
	t.Batch.most = min(2*t.Batch.most, batchCalls)
	t.published(x, sequence)
	t.traceCommitted(x)
	faultpoint.Hit(faultpoint.BeforeAck, t.Definition.Name)
	for k, i := range t.Inbox.Inputs[:len(x.frame.Inputs)] {
		i.settle(x.frame.Inputs[k])
		if i.Producer != nil {
			i.Producer.poke()
		}
		if t.Run.Quarantine.IsOn() {
			t.Run.Quarantine.Passed(t.message(x.frame.Inputs[k].Stream, x.frame.Inputs[k].Offset))
		}
	}
	t.Batch.lock()
	defer t.Batch.unlock()
	t.role.committed()
	t.forgetCommitted()
	t.succeeded(commitUnit)
	if t.sound() {
		t.Progress.healthy.Store(x.frame.Commit)
	}
	if t.Observed.Stats.unsaved.Load() {
		t.saveNews()
	}
	if t.Committed.DirtyBytes() > checkpointer.DirtyLimit || t.Progress.stored.Load() > int64(t.Format.Capacity.Bytes/2) {
		t.Run.Checkpointer.Kick()
	}
}

// published lets the others see a commit.
func (t *Task) published(x *txn, sequence uint64) {
	t.Progress.stored.Add(int64(len(x.data)))
	t.Progress.Last.Store(sequence)
	for d := range x.frame.Sections {
		t.Progress.next[d].Store(x.frame.Sections[d].Next())
	}
	if x.frame.Ended {
		t.Phase.On(commitsEnd)
		t.Run.PokeAll()
	}
}
