package engine

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

func (f *flight) isDone() bool {
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
func (t *task) publish(ctx context.Context, end bool) error {
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
	faultpoint.Hit(faultpoint.BeforePublish, t.definition.Name)
	f.sent = t.run.clock.Now()
	f.pending = t.channel.Publish(f.data, f.expected, f.trace)
	faultpoint.Hit(faultpoint.PublishSent, t.definition.Name)
	t.flight = f
	return nil
}

func (t *task) beforeCommit(ctx context.Context) error {
	if !t.processor.hasBeforeCommit() {
		return nil
	}
	err := t.hook(ctx, commitUnit, func() error {
		return t.undoneIfAway(func() error { return t.processor.callBeforeCommit(ctx) })
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
func (t *task) publishAtLast(ctx context.Context, end bool) error {
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
func (t *task) collect() (state frame.State, err error) {
	t.code.guard.enter()
	t.code.saving.enterUnit(commitUnit)
	err = encoding(func() (err error) {
		state, err = t.processor.keeper().Collect()
		return err
	})
	t.code.saving.leave()
	if !t.code.guard.leave() {
		return state, errAbandoned
	}
	return state, err
}

// encode makes the frame and empties the batch.
func (t *task) encode(end bool) (*flight, error) {
	t.batch.lock()
	defer t.batch.unlock()
	control, sequence := t.committed.Last()
	state, err := t.collect()
	if err != nil {
		return nil, t.unsaved(err)
	}
	f := &flight{expected: sequence, frame: frame.Frame{
		Owner:    t.ownership.owner,
		Epoch:    t.ownership.epoch,
		Commit:   control.Commit + 1,
		Ended:    end,
		UsedUp:   end && t.ending.usedUp,
		Steps:    t.steps,
		Inputs:   t.positions(),
		Timers:   append([]int64(nil), t.timers.due...),
		EndPhase: (t.ending.hook || t.ending.asked && !t.isPermanent()) && !end,
		Cursor:   t.ending.cursor,
		Tally:    control.Tally.Plus(t.batch.tally),
		State:    state,
		Sections: t.batch.completed(t.source),
	}}
	if f.data, err = frame.Append(t.batch.spare[:0], &f.frame, t.format.options); err != nil && !errors.Is(err, frame.ErrTooLarge) {
		return nil, fmt.Errorf("encode a frame: %w", err)
	}
	if err != nil || len(f.data) > t.format.limits.frame {
		return nil, t.tooLarge(&f.frame, len(f.data))
	}
	f.trace = t.traceSent()
	f.taken, f.ages = t.batch.taken, t.batch.ages
	t.batch.spare, t.batch.last = nil, call{}
	t.committed.Launch(state.Changes)
	t.empty(f)
	return f, nil
}

func (t *task) empty(f *flight) {
	if t.source != nil {
		t.batch.split()
		return
	}
	next := make([]uint64, len(f.frame.Sections))
	for d := range next {
		next[d] = f.frame.Sections[d].Next()
	}
	t.batch.reset(next)
}

func (t *task) positions() []frame.Position {
	positions := make([]frame.Position, 0, len(t.inbox.inputs))
	for _, i := range t.inbox.inputs {
		if i.replays == nil || i.next > 0 { // there are replays now and then, and positions in every frame
			positions = append(positions, i.position())
		}
	}
	return positions
}

// settle ends the commit under way once its answer is there, or waits for it.
func (t *task) settle(ctx context.Context, wait bool) error {
	if t.flight == nil {
		return nil
	}
	select {
	case <-t.flight.pending.Done():
	default:
		if !wait {
			return nil
		}
		t.waiting.waits.begin(waitCommit, "no answer yet")
		if err := t.run.clock.Until(ctx, t.flight.pending.Done()); err != nil {
			return err
		}
	}
	sequence, err := t.flight.pending.Result()
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
func (t *task) settled(sequence uint64) {
	f := t.flight
	faultpoint.Hit(faultpoint.AfterPublish, t.definition.Name)
	t.measure(f)
	t.noteSize(f)
	t.committed.Accept(&f.frame, sequence)
	t.flight, t.batch.spare, t.batch.closed = nil, f.data, false
	t.waiting.waits.end(waitCommit)
	t.batch.most = min(2*t.batch.most, batchCalls)
	t.published(f, sequence)
	t.traceCommitted(f)
	faultpoint.Hit(faultpoint.BeforeAck, t.definition.Name)
	for k, i := range t.inbox.inputs[:len(f.frame.Inputs)] {
		i.settle(f.frame.Inputs[k])
		if i.producer != nil {
			i.producer.poke()
		}
		if t.run.quarantine.isOn() {
			t.run.quarantine.passed(t.definition.Name, f.frame.Inputs[k].Stream, f.frame.Inputs[k].Offset)
		}
	}
	t.batch.lock()
	defer t.batch.unlock()
	if t.source != nil {
		t.source.makeRoom()
	}
	t.forgetCommitted()
	t.succeeded(commitUnit)
	if t.sound() {
		t.progress.healthy.Store(f.frame.Commit)
	}
	if t.observed.stats.unsaved.Load() {
		t.saveNews()
	}
	if t.committed.DirtyBytes() > dirtyLimit || t.progress.stored.Load() > int64(t.format.capacity.Bytes/2) {
		t.run.checkpointer.kick()
	}
}

// published lets the others see a commit.
func (t *task) published(f *flight, sequence uint64) {
	t.progress.stored.Add(int64(len(f.data)))
	t.progress.last.Store(sequence)
	for d := range f.frame.Sections {
		t.progress.next[d].Store(f.frame.Sections[d].Next())
	}
	if f.frame.Ended {
		t.phase.on(commitsEnd)
		t.run.pokeAll()
	}
}
