package engine

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/rule"
)

// fenceTries is how often an instance tries to become the owner while the
// owner before goes on committing, or others try the same.
const fenceTries = 1000

// open makes the instance the owner of its stage: it finds the last commit,
// rebuilds the state from the checkpoint and the frames after it, and fences
// whichever process owned the stage before.
func (t *task) open(ctx context.Context) error {
	for try := 1; ; try++ {
		if err := t.recover(ctx); err != nil {
			return fmt.Errorf("stage %s: %w", t.definition.Name, err)
		}
		if t.phase.isEnded() {
			if again, err := t.reopens(ctx); err != nil || !again {
				return err
			}
		}
		err := t.fence(ctx)
		var taken *FencedError
		if err == nil || try == fenceTries || !errors.As(err, &taken) {
			return err
		}
		if try == 1 {
			t.log.Warn("another process owns the stage; taking it over", "owner_epoch", taken.OwnerEpoch)
		}
		t.flight = nil
	}
}

// recover brings the instance up to the channel's last frame.
func (t *task) recover(ctx context.Context) error {
	if err := t.committed.CatchUp(ctx, t.channel, t.definition.Keyed()); err != nil {
		return err
	}
	return t.adopt(ctx)
}

// adopt sets the instance to the committed view.
func (t *task) adopt(ctx context.Context) error {
	control, sequence := t.committed.Last()
	t.ownership.epoch = control.Epoch
	t.progress.last.Store(sequence)
	if t.format.options.Compression == frame.None {
		t.size.before.Store(int64(len(control.State.Whole)))
	}
	t.phase.opened(control.Ended)
	for d, stream := range t.definition.Destinations() {
		for k := range control.Sections {
			if control.Sections[k].Branch == stream.Branch {
				t.progress.next[d].Store(control.Sections[k].Next())
			}
		}
	}
	for k, timer := range t.definition.Timers {
		t.timers.due[k] = timer.FirstDue(t.run.clock.Now())
		if k < len(control.Timers) {
			t.timers.due[k] = control.Timers[k]
		}
	}
	for _, i := range t.inbox.inputs {
		i.committed = frame.Position{Stream: i.definition.Stream.String()}
		for _, p := range control.Inputs {
			if p.Stream == i.committed.Stream {
				i.committed = p
			}
		}
		i.taken.Store(i.committed.Offset)
		i.rewind()
	}
	info, err := t.channel.Info(ctx)
	if err != nil {
		return fmt.Errorf("look at the channel: %w", err)
	}
	t.progress.stored.Store(int64(info.Bytes))
	return t.loadAttempts()
}

// fence writes an empty frame with the next epoch. From then on a commit of
// the owner before cannot follow the sequence it expects. The frame holds
// everything a start needs, so that older ones may be trimmed.
func (t *task) fence(ctx context.Context) error {
	if !rule.Fencing {
		return nil
	}
	control, sequence := t.committed.Last()
	fence := control
	fence.Owner, fence.Epoch, fence.Commit, fence.Fence = t.ownership.owner, control.Epoch+1, control.Commit+1, true
	if control.Ended { // it was reopened
		fence.Ended, fence.EndPhase, fence.Cursor = false, false, ""
	}
	if fence.Tally.IsZero() {
		fence.Tally = t.observed.stats.before
	}
	fence.Timers = append([]int64(nil), t.timers.due...)
	fence.Sections = make([]frame.Section, len(t.progress.next))
	for d, stream := range t.definition.Destinations() {
		fence.Sections[d] = frame.Section{Branch: stream.Branch, Base: t.progress.next[d].Load()}
	}
	data, err := frame.Append(nil, &fence, frame.Options{})
	if err != nil {
		return fmt.Errorf("encode the fence frame: %w", err)
	}
	t.ownership.epoch = fence.Epoch
	t.flight = &flight{frame: fence, data: data, expected: sequence}
	t.flight.pending = t.channel.Publish(data, sequence, channel.Trace{})
	if err := t.run.clock.Until(ctx, t.flight.pending.Done()); err != nil {
		return err
	}
	written, err := t.flight.pending.Result()
	if err != nil {
		if written, err = t.resolve(ctx, err); err != nil {
			return err
		}
	}
	t.committed.Accept(&fence, written)
	t.published(t.flight, written)
	t.flight = nil
	faultpoint.Hit(faultpoint.AfterFence, t.definition.Name)
	t.resumes = resumption{control.Commit, t.takenOf(&control)}
	return nil
}

// A resumption is where a task goes on; its commit is 0 if there is none before it.
type resumption struct{ commit, taken uint64 }

// sayResuming tells where the task goes on, when nothing can refuse the start any more.
func (t *task) sayResuming() {
	if at := t.resumes; at.commit > 0 {
		t.log.Info("resuming", "commit", at.commit, "epoch", t.ownership.epoch, "taken", at.taken, "emitted", t.emitted())
	}
}

func newOwner() uint64 {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return uint64(time.Now().UnixNano())
	}
	return binary.LittleEndian.Uint64(b[:])
}

// takenOf counts the messages that a commit and those before it took; replays are none.
func (t *task) takenOf(control *frame.Frame) (n uint64) {
	for _, p := range control.Inputs {
		if p.Stream != plan.ReplayStream {
			n += p.Count()
		}
	}
	return n
}
