package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/answer"
)

// flight is a commit under way.
type flight struct {
	pending  *channel.Pending
	trace    channel.Trace
	frame    frame.Frame
	data     []byte
	expected uint64 // sequence of the commit before it
	tail     uint64 // sequence of the last message on the subject, once it was looked at
	sent     time.Time
	taken    uint64 // messages; of a source, calls
	ages     []aged
}

func (f *flight) IsDone() bool {
	if f == nil {
		return false
	}
	select {
	case <-f.pending.Done():
		return true
	default:
		return false
	}
}

// publish sends everything the batch holds as one frame: the commit. It is
// under way afterwards; settle ends it.
func (t *Task) publish(ctx context.Context, end bool) error {
	t.call = t.unitCall(commitUnit)
	if err := t.delivered(ctx); err != nil {
		return err
	}
	if err := t.beforeCommit(ctx); err != nil {
		return err
	}
	f, err := t.encode(end)
	if err != nil {
		return err
	}
	faultpoint.Hit(faultpoint.BeforePublish, t.Definition.Name)
	f.sent = t.Run.Clock.Now()
	f.pending = t.Channel.Publish(f.data, f.expected, f.trace)
	faultpoint.Hit(faultpoint.PublishSent, t.Definition.Name)
	t.Flight = f
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
	t.Code.Guard.enter()
	t.Code.saving.enterUnit(commitUnit)
	err = encoding(func() (err error) {
		state, err = t.Processor.Keeper().Collect()
		return err
	})
	t.Code.saving.leave()
	if !t.Code.Guard.leave() {
		return state, errAbandoned
	}
	return state, err
}

// encode makes the frame and empties the batch.
func (t *Task) encode(end bool) (*flight, error) {
	t.Batch.lock()
	defer t.Batch.unlock()
	control, sequence := t.Committed.Last()
	state, err := t.collect()
	if err != nil {
		return nil, t.unsaved(err)
	}
	f := &flight{expected: sequence, frame: frame.Frame{
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
		Sections: t.Batch.completed(t.Source),
	}}
	if f.data, err = frame.Append(t.Batch.spare[:0], &f.frame, t.Format.options); err != nil && !errors.Is(err, frame.ErrTooLarge) {
		return nil, fmt.Errorf("encode a frame: %w", err)
	}
	if err != nil || len(f.data) > t.Format.Limits.Frame {
		return nil, t.tooLarge(&f.frame, len(f.data))
	}
	f.trace = t.traceSent()
	f.taken, f.ages = t.Batch.taken, t.Batch.ages
	t.Batch.spare, t.Batch.last = nil, call{}
	t.Committed.Launch(state.Changes)
	t.empty(f)
	return f, nil
}

func (t *Task) empty(f *flight) {
	if t.Source != nil {
		t.Batch.split()
		return
	}
	next := make([]uint64, len(f.frame.Sections))
	for d := range next {
		next[d] = f.frame.Sections[d].Next()
	}
	t.Batch.reset(next)
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
	if t.Flight == nil {
		return nil
	}
	select {
	case <-t.Flight.pending.Done():
	default:
		if !wait {
			return nil
		}
		t.Waiting.waits.begin(waitCommit, "no answer yet")
		if err := t.Run.Clock.Until(ctx, t.Flight.pending.Done()); err != nil {
			return err
		}
	}
	sequence, err := t.Flight.pending.Result()
	if err != nil {
		if sequence, err = t.resolve(ctx, err); err != nil {
			if ctx.Err() == nil {
				t.traceLost(err)
			}
			return err
		}
	}
	t.settled(sequence)
	return nil
}

// settled takes a commit that is in the channel.
func (t *Task) settled(sequence uint64) {
	f := t.Flight
	faultpoint.Hit(faultpoint.AfterPublish, t.Definition.Name)
	t.measure(f)
	t.noteSize(f)
	t.Committed.Accept(&f.frame, sequence)
	t.Flight, t.Batch.spare, t.Batch.closed = nil, f.data, false
	t.Waiting.waits.end(waitCommit)
	t.Batch.most = min(2*t.Batch.most, batchCalls)
	t.published(f, sequence)
	t.traceCommitted(f)
	faultpoint.Hit(faultpoint.BeforeAck, t.Definition.Name)
	for k, i := range t.Inbox.Inputs[:len(f.frame.Inputs)] {
		i.settle(f.frame.Inputs[k])
		if i.Producer != nil {
			i.Producer.poke()
		}
		if t.Run.Quarantine.isOn() {
			t.Run.Quarantine.passed(t.Definition.Name, f.frame.Inputs[k].Stream, f.frame.Inputs[k].Offset)
		}
	}
	t.Batch.lock()
	defer t.Batch.unlock()
	if t.Source != nil {
		t.Source.makeRoom()
	}
	t.forgetCommitted()
	t.succeeded(commitUnit)
	if t.sound() {
		t.Progress.healthy.Store(f.frame.Commit)
	}
	if t.Observed.Stats.unsaved.Load() {
		t.saveNews()
	}
	if t.Committed.DirtyBytes() > dirtyLimit || t.Progress.stored.Load() > int64(t.Format.Capacity.Bytes/2) {
		t.Run.Checkpointer.kick()
	}
}

// published lets the others see a commit.
func (t *Task) published(f *flight, sequence uint64) {
	t.Progress.stored.Add(int64(len(f.data)))
	t.Progress.Last.Store(sequence)
	for d := range f.frame.Sections {
		t.Progress.next[d].Store(f.frame.Sections[d].Next())
	}
	if f.frame.Ended {
		t.Phase.On(commitsEnd)
		t.Run.PokeAll()
	}
}
