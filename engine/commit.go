package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
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
func (in *session) publish(ctx context.Context, end bool) error {
	in.call = in.unitCall(commitUnit)
	if err := in.delivered(ctx); err != nil {
		return err
	}
	if err := in.beforeCommit(ctx); err != nil {
		return err
	}
	f, err := in.encode(end)
	if err != nil {
		return err
	}
	faultpoint.Hit(faultpoint.BeforePublish, in.definition.name)
	f.sent = in.run.clock.Now()
	f.pending = in.channel.Publish(f.data, f.expected, f.trace)
	faultpoint.Hit(faultpoint.PublishSent, in.definition.name)
	in.flight = f
	return nil
}

func (in *session) beforeCommit(ctx context.Context) error {
	if !in.machine.hasBeforeCommit() {
		return nil
	}
	err := in.hook(ctx, commitUnit, func() error {
		return in.undoneIfAway(func() error { return in.machine.callBeforeCommit(ctx) })
	})
	switch {
	case isUnavailable(err):
		in.isAway(commitUnit, "before commit", err)
		return errNotYet
	case err != nil && !errors.Is(err, errAbandoned):
		return fmt.Errorf("before commit: %w", err)
	case err == nil && in.outages.count.Load() > 0:
		in.isBack(commitUnit)
	}
	return err
}

// errNotYet says that nothing was published: what the commit needs first is
// unavailable. The batch stays as it is.
var errNotYet = errors.New("not yet")

// publishAtLast is publish where nothing else can go on before.
func (in *session) publishAtLast(ctx context.Context, end bool) error {
	for {
		err := in.publish(ctx, end)
		if !errors.Is(err, errNotYet) {
			return err
		}
		if err := in.awaitTry(ctx, commitUnit); err != nil {
			return err
		}
	}
}

// collect asks for the changes of the state, which the user's codec writes.
func (in *session) collect() (state frame.State, err error) {
	in.code.hold.enter()
	in.code.saving.enterUnit(commitUnit)
	err = encoding(func() (err error) {
		state, err = in.machine.keeper().Collect()
		return err
	})
	in.code.saving.leave()
	if !in.code.hold.leave() {
		return state, errAbandoned
	}
	return state, err
}

// encode makes the frame and empties the batch.
func (in *session) encode(end bool) (*flight, error) {
	if in.source != nil {
		in.batch.mu.Lock()
		defer in.batch.mu.Unlock()
	}
	control, sequence := in.committed.Last()
	state, err := in.collect()
	if err != nil {
		return nil, in.unsaved(err)
	}
	f := &flight{expected: sequence, frame: frame.Frame{
		Owner:    in.ownership.owner,
		Epoch:    in.ownership.epoch,
		Commit:   control.Commit + 1,
		Ended:    end,
		UsedUp:   end && in.ending.usedUp,
		Steps:    in.steps,
		Inputs:   in.positions(),
		Timers:   append([]int64(nil), in.timers.due...),
		EndPhase: (in.ending.hook || in.ending.asked && !in.isPermanent()) && !end,
		Cursor:   in.ending.cursor,
		State:    state,
		Sections: in.batch.completed(in.source),
	}}
	if f.data, err = frame.Append(in.batch.spare[:0], &f.frame, in.format.options); err != nil && !errors.Is(err, frame.ErrTooLarge) {
		return nil, fmt.Errorf("encode a frame: %w", err)
	}
	if err != nil || len(f.data) > in.format.limits.frame {
		return nil, in.tooLarge(&f.frame, len(f.data))
	}
	f.trace = in.traceSent()
	f.taken, f.ages = in.batch.taken, in.batch.ages
	in.batch.spare, in.batch.last = nil, call{}
	in.committed.Launch(state.Changes)
	in.empty(f)
	return f, nil
}

func (in *session) empty(f *flight) {
	if in.source != nil {
		in.batch.split()
		return
	}
	next := make([]uint64, len(f.frame.Sections))
	for d := range next {
		next[d] = f.frame.Sections[d].Next()
	}
	in.batch.reset(next)
}

func (in *session) positions() []frame.Position {
	positions := make([]frame.Position, 0, len(in.inbox.inputs))
	for _, i := range in.inbox.inputs {
		if i.replays == nil || i.next > 0 { // there are replays now and then, and positions in every frame
			positions = append(positions, i.position())
		}
	}
	return positions
}

// settle ends the commit under way once its answer is there, or waits for it.
func (in *session) settle(ctx context.Context, wait bool) error {
	if in.flight == nil {
		return nil
	}
	select {
	case <-in.flight.pending.Done():
	default:
		if !wait {
			return nil
		}
		in.waiting.waits.begin(waitCommit, "its answer has not come")
		if err := in.run.clock.Until(ctx, in.flight.pending.Done()); err != nil {
			return err
		}
	}
	sequence, err := in.flight.pending.Result()
	if err != nil {
		if sequence, err = in.resolve(ctx, err); err != nil {
			if ctx.Err() == nil {
				in.traceLost(err)
			}
			return err
		}
	}
	in.settled(sequence)
	return nil
}

// settled takes a commit that is in the channel.
func (in *session) settled(sequence uint64) {
	f := in.flight
	faultpoint.Hit(faultpoint.AfterPublish, in.definition.name)
	in.measure(f)
	in.noteSize(f)
	in.committed.Accept(&f.frame, sequence)
	in.flight, in.batch.spare, in.batch.closed = nil, f.data, false
	in.waiting.waits.end(waitCommit)
	in.batch.most = min(2*in.batch.most, batchCalls)
	in.published(f, sequence)
	in.traceCommitted(f)
	faultpoint.Hit(faultpoint.BeforeAck, in.definition.name)
	for k, i := range in.inbox.inputs[:len(f.frame.Inputs)] {
		i.settle(f.frame.Inputs[k])
		if i.producer != nil {
			i.producer.poke()
		}
		if in.run.careful.isOn() {
			in.run.careful.passed(in.definition.name, f.frame.Inputs[k].Stream, f.frame.Inputs[k].Offset)
		}
	}
	if in.source != nil {
		in.batch.mu.Lock()
		defer in.batch.mu.Unlock()
		in.source.makeRoom()
	}
	in.forgetCommitted()
	in.succeeded(commitUnit)
	if in.sound() {
		in.progress.healthy.Store(f.frame.Commit)
	}
	if in.observed.stats.unsaved.Load() {
		in.saveNews()
	}
	if in.committed.DirtyBytes() > dirtyLimit || in.progress.stored.Load() > int64(in.format.capacity.Bytes/2) {
		in.run.checkpointer.kick()
	}
}

// published lets the others see a commit.
func (in *session) published(f *flight, sequence uint64) {
	in.progress.stored.Add(int64(len(f.data)))
	in.progress.last.Store(sequence)
	for d := range f.frame.Sections {
		in.progress.next[d].Store(f.frame.Sections[d].Next())
	}
	if f.frame.Ended {
		in.phase.on(commitsEnd)
		in.run.pokeAll()
	}
}
