package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/supervise"
)

// flight is a commit under way.
type flight struct {
	pending  *channel.Pending
	frame    frame.Frame
	data     []byte
	expected uint64 // sequence of the commit before it
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
func (in *instance) publish(ctx context.Context, end bool) error {
	in.unit = "commit"
	if err := supervise.Call(func() error { return in.machine.callBeforeCommit(ctx) }); err != nil {
		in.current = nil
		return fmt.Errorf("before commit: %w", err)
	}
	f, err := in.encode(end)
	if err != nil {
		return err
	}
	faultpoint.Hit(faultpoint.BeforePublish, in.definition.name)
	f.pending = in.channel.Publish(f.data, f.expected)
	faultpoint.Hit(faultpoint.PublishSent, in.definition.name)
	in.flight = f
	return nil
}

// encode makes the frame and empties the batch.
func (in *instance) encode(end bool) (*flight, error) {
	if in.source != nil {
		in.batch.mu.Lock()
		defer in.batch.mu.Unlock()
	}
	control, sequence := in.committed.last()
	state, err := in.machine.keeper().collect()
	if err != nil {
		in.current = nil
		return nil, err
	}
	f := &flight{expected: sequence, frame: frame.Frame{
		Owner:    in.owner,
		Epoch:    in.epoch,
		Commit:   control.Commit + 1,
		Ended:    end,
		Steps:    in.steps,
		Inputs:   in.positions(),
		Timers:   append([]int64(nil), in.timers...),
		EndPhase: in.endPhase,
		Cursor:   in.cursor,
		State:    state,
		Sections: in.batch.completed(in.source),
	}}
	if f.data, err = frame.Append(in.spare[:0], &f.frame, in.options); err != nil && !errors.Is(err, frame.ErrTooLarge) {
		return nil, fmt.Errorf("encode a frame: %w", err)
	}
	if err != nil || len(f.data) > in.limits.frame {
		return nil, in.tooLarge(len(f.data))
	}
	in.spare = nil
	in.committed.launch(state.Changes)
	in.empty(f)
	return f, nil
}

func (in *instance) empty(f *flight) {
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

// tooLarge answers a batch that does not fit into one message: half the calls
// next time, or the failure of the one call it is.
func (in *instance) tooLarge(size int) error {
	if in.batch.calls > 1 && in.source == nil {
		in.maxCalls = in.batch.calls / 2
		return errRewind
	}
	err := &TooLargeError{Stage: in.definition.name, Size: size, Limit: in.limits.frame}
	if len(in.inputs) == 0 || in.lastCall == nil {
		return Fatal(err)
	}
	in.current, in.currentAt = in.lastCall, in.lastCallAt
	return err
}

func (in *instance) positions() []frame.Position {
	positions := make([]frame.Position, len(in.inputs))
	for k, i := range in.inputs {
		positions[k] = i.position()
	}
	return positions
}

// settle ends the commit under way once its answer is there, or waits for it.
func (in *instance) settle(ctx context.Context, wait bool) error {
	if in.flight == nil {
		return nil
	}
	select {
	case <-in.flight.pending.Done():
	default:
		if !wait {
			return nil
		}
		select {
		case <-in.flight.pending.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	sequence, err := in.flight.pending.Result()
	if err != nil {
		if sequence, err = in.resolve(ctx, err); err != nil {
			return err
		}
	}
	in.settled(sequence)
	return nil
}

// resolve finds out what became of a commit without a good answer: it is the
// channel's last frame, or it is not and is sent again, or somebody else's is.
func (in *instance) resolve(ctx context.Context, cause error) (uint64, error) {
	delay := time.Duration(0)
	for try := 0; ; try++ {
		if !errors.Is(cause, channel.ErrConflict) && !errors.Is(cause, channel.ErrUnknown) && !errors.Is(cause, channel.ErrFull) {
			return 0, in.escalate(fmt.Errorf("commit: %w", cause))
		}
		if try == 1 {
			in.log.Warn("a commit got no answer; asking until it is known what became of it", "commit", in.flight.frame.Commit, "error", cause)
		}
		if err := pause(ctx, delay); err != nil {
			return 0, err
		}
		delay = min(max(2*delay, 20*time.Millisecond), 2*time.Second)
		sequence, err := in.lookBack(ctx)
		if err == nil {
			if try > 1 {
				in.log.Info("the commit is settled", "commit", in.flight.frame.Commit)
			}
			return sequence, nil
		}
		if supervise.IsEscalated(err) || ctx.Err() != nil {
			return 0, err
		}
		cause = err
	}
}

// lookBack reads the last frame back, and publishes once more if it is the
// one before ours.
func (in *instance) lookBack(ctx context.Context) (uint64, error) {
	last, found, err := in.channel.Last(ctx)
	switch {
	case errors.Is(err, channel.ErrStreamLost):
		return 0, in.escalate(err)
	case err != nil:
		return 0, fmt.Errorf("%w: %w", channel.ErrUnknown, err)
	case found && last.Frame.Owner == in.owner && last.Frame.Commit == in.flight.frame.Commit:
		return last.Sequence, nil
	case found && last.Sequence != in.flight.expected, !found && in.flight.expected != 0:
		return 0, in.escalate(in.fenced(last, found))
	}
	in.flight.pending = in.channel.Publish(in.flight.data, in.flight.expected)
	select {
	case <-in.flight.pending.Done():
		return in.flight.pending.Result()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// pause waits, unless ctx is done before.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settled takes a commit that is in the channel.
func (in *instance) settled(sequence uint64) {
	f := in.flight
	faultpoint.Hit(faultpoint.AfterPublish, in.definition.name)
	in.committed.accept(&f.frame, sequence)
	in.flight, in.spare, in.closed = nil, f.data, false
	in.maxCalls = min(2*in.maxCalls, batchCalls)
	in.published(f, sequence)
	faultpoint.Hit(faultpoint.BeforeAck, in.definition.name)
	for k, i := range in.inputs {
		i.settle(f.frame.Inputs[k])
		i.producer.poke()
	}
	if in.source != nil {
		in.batch.mu.Lock()
		defer in.batch.mu.Unlock()
		in.source.makeRoom()
	}
	in.succeeded("commit")
	if in.sound() {
		in.healthy = f.frame.Commit
	}
	if in.stats.unsaved {
		in.saveStats()
	}
	if in.committed.dirtyBytes() > dirtyLimit || in.stored.Load() > int64(in.capacity.Bytes/2) {
		in.run.checkpointer.kick()
	}
}

// published lets the others see a commit.
func (in *instance) published(f *flight, sequence uint64) {
	in.stored.Add(int64(len(f.data)))
	in.last.Store(sequence)
	for d := range f.frame.Sections {
		in.next[d].Store(f.frame.Sections[d].Next())
	}
	if f.frame.Ended {
		in.isEnded.Store(true)
		in.run.pokeAll()
	}
}

// FencedError says that another process owns the stage now. The one that gets
// it has committed nothing since and must not go on.
type FencedError struct {
	Stage       string
	Epoch       uint64 // ours
	OwnerEpoch  uint64 // of the owner
	OwnerCommit uint64
}

func (e *FencedError) Error() string {
	return fmt.Sprintf("stage %s was taken over by another process (its epoch %d, ours %d, its last commit %d): this one commits nothing more", e.Stage, e.OwnerEpoch, e.Epoch, e.OwnerCommit)
}

func (in *instance) fenced(last channel.Record, found bool) error {
	if found && last.Frame.Owner != in.owner && last.Sequence > in.flight.expected {
		return &FencedError{Stage: in.definition.name, Epoch: in.epoch, OwnerEpoch: last.Frame.Epoch, OwnerCommit: last.Frame.Commit}
	}
	return fmt.Errorf("the channel of stage %s lost its tail: its last frame is not commit %d that the server had acknowledged (was the server restored, purged, or cut from power without sync?)", in.definition.name, in.flight.frame.Commit-1)
}
