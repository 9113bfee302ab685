package task

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/rule"
)

// fenceTries is how often an instance tries to become the owner while the
// owner before goes on committing, or others try the same.
const fenceTries = 1000

// Open makes the instance the owner of its stage: it finds the last commit,
// rebuilds the state from the checkpoint and the frames after it, and fences
// whichever process owned the stage before.
func (t *Task) Open(ctx context.Context) error {
	for try := 1; ; try++ {
		if err := t.recover(ctx); err != nil {
			return fmt.Errorf("stage %s: %w", t.Definition.Name, err)
		}
		if t.Phase.IsEnded() {
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
			t.Log.Warn("another process owns the stage; taking it over", "owner_epoch", taken.OwnerEpoch)
		}
		t.Txn = nil
	}
}

// recover brings the instance up to the channel's last frame.
func (t *Task) recover(ctx context.Context) error {
	if err := t.Committed.CatchUp(ctx, t.Channel, t.Definition.Keyed()); err != nil {
		return err
	}
	return t.adopt(ctx)
}

// adopt sets the instance to the committed view.
func (t *Task) adopt(ctx context.Context) error {
	control, sequence := t.Committed.Last()
	t.Ownership.Epoch = control.Epoch
	t.Progress.Last.Store(sequence)
	if t.Format.options.Compression == frame.None {
		t.size.before.Store(int64(len(control.State.Whole)))
	}
	t.Phase.opened(control.Ended)
	for d, stream := range t.Definition.Destinations() {
		for k := range control.Sections {
			if control.Sections[k].Branch == stream.Branch {
				t.Progress.next[d].Store(control.Sections[k].Next())
			}
		}
	}
	for k, timer := range t.Definition.Timers {
		t.timers.due[k] = timer.FirstDue(t.Run.Clock.Now())
		if k < len(control.Timers) {
			t.timers.due[k] = control.Timers[k]
		}
	}
	for _, i := range t.Inbox.Inputs {
		i.Committed = frame.Position{Stream: i.Definition.Stream.String()}
		for _, p := range control.Inputs {
			if p.Stream == i.Committed.Stream {
				i.Committed = p
			}
		}
		i.taken.Store(i.Committed.Offset)
		i.rewind()
	}
	info, err := t.Channel.Info(ctx)
	if err != nil {
		return fmt.Errorf("look at the channel: %w", err)
	}
	t.Progress.stored.Store(int64(info.Bytes))
	return t.loadAttempts()
}

// fence writes an empty frame with the next epoch. From then on a commit of
// the owner before cannot follow the sequence it expects. The frame holds
// everything a start needs, so that older ones may be trimmed.
func (t *Task) fence(ctx context.Context) error {
	if !rule.Fencing {
		return nil
	}
	control, sequence := t.Committed.Last()
	fence := control
	fence.Owner, fence.Epoch, fence.Commit, fence.Kind = t.Ownership.Owner, control.Epoch+1, control.Commit+1, frame.KindFence
	if control.Ended { // it was reopened
		fence.Ended, fence.EndPhase, fence.Cursor = false, false, ""
	}
	if fence.Tally.IsZero() {
		fence.Tally = t.Observed.Stats.before
	}
	fence.Timers = append([]int64(nil), t.timers.due...)
	fence.Sections = make([]frame.Section, len(t.Progress.next))
	for d, stream := range t.Definition.Destinations() {
		fence.Sections[d] = frame.Section{Branch: stream.Branch, Base: t.Progress.next[d].Load()}
	}
	data, err := frame.Append(nil, &fence, frame.Options{})
	if err != nil {
		return fmt.Errorf("encode the fence frame: %w", err)
	}
	t.Ownership.Epoch = fence.Epoch
	t.Txn = &txn{frame: fence, data: data, expected: sequence}
	t.Txn.publish(t.Channel, sequence)
	written, err := t.outcome(ctx)
	if err != nil {
		return err
	}
	t.Committed.Accept(&fence, written)
	t.published(t.Txn, written)
	t.Txn = nil
	faultpoint.Hit(faultpoint.AfterFence, t.Definition.Name)
	t.resumes = resumption{control.Commit, t.TakenOf(&control)}
	return nil
}

// A resumption is where a task goes on; its commit is 0 if there is none before it.
type resumption struct{ commit, taken uint64 }

// SayResuming tells where the task goes on, when nothing can refuse the start any more.
func (t *Task) SayResuming() {
	if at := t.resumes; at.commit > 0 {
		t.Log.Info("resuming", "commit", at.commit, "epoch", t.Ownership.Epoch, "taken", at.taken, "emitted", t.Emitted())
	}
}

func newOwner() uint64 {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return uint64(time.Now().UnixNano())
	}
	return binary.LittleEndian.Uint64(b[:])
}

// TakenOf counts the messages that a commit and those before it took; replays are none.
func (t *Task) TakenOf(control *frame.Frame) (n uint64) {
	for _, p := range control.Inputs {
		if p.Stream != plan.ReplayStream {
			n += p.Count()
		}
	}
	return n
}
