package task

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"penstock/engine/frame"
	"penstock/engine/internal/plan"
)

// Open makes the instance the owner of its stage: it finds the last commit,
// rebuilds the state from the checkpoint and the frames after it, and takes the
// stage over from whichever process owned it before. A stage that has ended is
// left as it is.
func (t *Task) Open(ctx context.Context) error {
	if err := t.recover(ctx); err != nil {
		return fmt.Errorf("stage %s: %w", t.Definition.Name, err)
	}
	if t.Phase.IsEnded() {
		if again, err := t.reopens(ctx); err != nil || !again {
			return err
		}
	}
	return t.own(ctx)
}

// recover brings the instance up to the channel's last frame.
func (t *Task) recover(ctx context.Context) error {
	if err := t.Committed.CatchUp(ctx, t.Channel, t.Definition.Keyed()); err != nil {
		return err
	}
	if err := t.checkRetired(); err != nil {
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
	t.noteWritten(&control)
	for k, timer := range t.Definition.Timers {
		t.timers.due[k] = timer.FirstDue(t.Run.Clock.Now())
		if k < len(control.Timers) {
			t.timers.due[k] = control.Timers[k]
		}
	}
	for _, i := range t.Inbox.Inputs {
		i.Committed = i.Position(control.Inputs)
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

// noteWritten lets others see what the instance has written, by a frame of it.
func (in *Instance) noteWritten(control *frame.Frame) {
	for d, destination := range in.Definition.Destinations() {
		for k := range control.Sections {
			if isTo(&control.Sections[k], destination) {
				in.Progress.next[d].Store(control.Sections[k].Next())
			}
		}
	}
}

// isTo says whether a section is of a destination.
func isTo(s *frame.Section, d plan.Destination) bool {
	return s.Branch == d.Branch() && int(s.Partition) == d.Instance
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

// TakenOf counts the messages that a commit and those before it took, also by edges that there were; replays are none.
func (in *Instance) TakenOf(control *frame.Frame) uint64 {
	n := in.Progress.Before.In
	for k := range in.Edges {
		p := in.Edges[k].Position(control.Inputs)
		n += p.Count()
	}
	return n
}
