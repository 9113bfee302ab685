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
	"penstock/engine/internal/rule"
)

// fenceTries is how often an instance tries to become the owner while the
// owner before goes on committing, or others try the same.
const fenceTries = 1000

// open makes the instance the owner of its stage: it finds the last commit,
// rebuilds the state from the checkpoint and the frames after it, and fences
// whichever process owned the stage before.
func (in *session) open(ctx context.Context) error {
	for try := 1; ; try++ {
		if err := in.recover(ctx); err != nil {
			return fmt.Errorf("stage %s: %w", in.definition.name, err)
		}
		if in.phase.isEnded() {
			if again, err := in.reopens(ctx); err != nil || !again {
				return err
			}
		}
		err := in.fence(ctx)
		var taken *FencedError
		if err == nil || try == fenceTries || !errors.As(err, &taken) {
			return err
		}
		if try == 1 {
			in.log.Warn("the stage has a living owner; taking it over", "owner_epoch", taken.OwnerEpoch)
		}
		in.flight = nil
	}
}

// recover brings the instance up to the channel's last frame.
func (in *session) recover(ctx context.Context) error {
	if err := in.committed.CatchUp(ctx, in.channel, in.definition.keyed()); err != nil {
		return err
	}
	return in.adopt(ctx)
}

// adopt sets the instance to the committed view.
func (in *session) adopt(ctx context.Context) error {
	control, sequence := in.committed.Last()
	in.ownership.epoch = control.Epoch
	in.progress.last.Store(sequence)
	if in.format.options.Compression == frame.None {
		in.size.before.Store(int64(len(control.State.Whole)))
	}
	in.phase.opened(control.Ended)
	for d, stream := range in.definition.destinations() {
		for k := range control.Sections {
			if control.Sections[k].Branch == stream.branch {
				in.progress.next[d].Store(control.Sections[k].Next())
			}
		}
	}
	for t, timer := range in.definition.timers {
		in.timers.due[t] = timer.firstDue(in.run.clock.Now())
		if t < len(control.Timers) {
			in.timers.due[t] = control.Timers[t]
		}
	}
	for _, i := range in.inbox.inputs {
		i.committed = frame.Position{Stream: i.definition.stream.String()}
		for _, p := range control.Inputs {
			if p.Stream == i.committed.Stream {
				i.committed = p
			}
		}
		i.taken.Store(i.committed.Offset)
		i.rewind()
	}
	info, err := in.channel.Info(ctx)
	if err != nil {
		return fmt.Errorf("look at the channel: %w", err)
	}
	in.progress.stored.Store(int64(info.Bytes))
	return in.loadAttempts()
}

// fence writes an empty frame with the next epoch. From then on a commit of
// the owner before cannot follow the sequence it expects. The frame holds
// everything a start needs, so that older ones may be trimmed.
func (in *session) fence(ctx context.Context) error {
	if !rule.Fencing {
		return nil
	}
	control, sequence := in.committed.Last()
	fence := control
	fence.Owner, fence.Epoch, fence.Commit, fence.Fence = in.ownership.owner, control.Epoch+1, control.Commit+1, true
	if control.Ended { // it was reopened
		fence.Ended, fence.EndPhase, fence.Cursor = false, false, ""
	}
	fence.Timers = append([]int64(nil), in.timers.due...)
	fence.Sections = make([]frame.Section, len(in.progress.next))
	for d, stream := range in.definition.destinations() {
		fence.Sections[d] = frame.Section{Branch: stream.branch, Base: in.progress.next[d].Load()}
	}
	data, err := frame.Append(nil, &fence, frame.Options{})
	if err != nil {
		return fmt.Errorf("encode the fence frame: %w", err)
	}
	in.ownership.epoch = fence.Epoch
	in.flight = &flight{frame: fence, data: data, expected: sequence}
	in.flight.pending = in.channel.Publish(data, sequence, channel.Trace{})
	if err := in.run.clock.Until(ctx, in.flight.pending.Done()); err != nil {
		return err
	}
	written, err := in.flight.pending.Result()
	if err != nil {
		if written, err = in.resolve(ctx, err); err != nil {
			return err
		}
	}
	in.committed.Accept(&fence, written)
	in.published(in.flight, written)
	in.flight = nil
	faultpoint.Hit(faultpoint.AfterFence, in.definition.name)
	if control.Commit > 0 {
		in.log.Info("resuming", "commit", control.Commit, "epoch", in.ownership.epoch, "taken", InfoOf(context.WithValue(ctx, sessionKey{}, in)).In, "emitted", in.emitted())
	}
	return nil
}

func newOwner() uint64 {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return uint64(time.Now().UnixNano())
	}
	return binary.LittleEndian.Uint64(b[:])
}
