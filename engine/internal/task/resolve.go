package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/internal/waits"
	"penstock/engine/supervise"
)

// resolveDelay is the longest pause between two looks at what became of a
// commit. They cost little, and a leader may be there again at any moment.
const resolveDelay = 500 * time.Millisecond

// resolve finds out what became of a commit without a good answer: it is the
// channel's last frame, or it is not and is sent again, or another writer's is.
func (t *Task) resolve(ctx context.Context, cause error) (uint64, error) {
	defer t.Waiting.waits.End(waits.Permission)
	delay := time.Duration(0)
	for try := 0; ; try++ {
		if !errors.Is(cause, channel.ErrConflict) && !errors.Is(cause, channel.ErrUnknown) && !errors.Is(cause, channel.ErrFull) {
			return 0, t.escalate(fmt.Errorf("commit: %w", cause))
		}
		if try == 1 {
			t.Log.Warn("commit outcome unknown; reading the stream back", "commit", t.Txn.frame.Commit, "error", cause)
		}
		t.Waiting.waits.Begin(waitFor(cause, waits.Commit), t.Run.Explain(cause))
		if err := t.Run.Clock.Pause(ctx, delay); err != nil {
			return 0, err
		}
		delay = min(max(2*delay, 20*time.Millisecond), resolveDelay)
		tail := t.Txn.tail
		sequence, err := t.lookBack(ctx)
		if err == nil {
			if try > 1 {
				t.Log.Info("commit outcome known: it is stored", "commit", t.Txn.frame.Commit)
			}
			return sequence, nil
		}
		if supervise.IsFatal(err) || ctx.Err() != nil {
			return 0, err
		}
		if cause = err; t.Txn.tail != tail {
			delay = 0 // messages of others come in between: the next try is soon, to be before the next of them
		}
	}
}

// waitFor names a wait by its cause, if that says more than kind.
func waitFor(cause error, kind waits.Kind) waits.Kind {
	if errors.Is(cause, broker.ErrPermission) {
		return waits.Permission
	}
	return kind
}

// lookBack reads the last frame back, and publishes once more if it is the
// one before ours. Messages of others may be behind it: then the frame has to
// expect the last of them, and one that is still on its way can come no more.
func (t *Task) lookBack(ctx context.Context) (uint64, error) {
	last, found, err := t.Ownership.taken.Last(ctx, t.Channel, t.Txn.expected)
	switch {
	case errors.Is(err, channel.ErrStreamLost):
		return 0, t.escalate(err)
	case err != nil:
		return 0, fmt.Errorf("%w: %w", channel.ErrUnknown, err)
	case found && last.Frame.Owner == t.Ownership.Owner && last.Frame.Commit == t.Txn.frame.Commit && last.Frame.Kind.IsCommit():
		return last.Sequence, nil
	case found && last.Sequence != t.Txn.expected, !found && t.Txn.expected != 0:
		return 0, t.escalate(t.fenced(ctx, last, found))
	}
	t.Txn.tail = last.Tail
	t.Txn.publish(t.Channel, last.Tail)
	if err := t.Txn.wait(ctx, t.Run.Clock); err != nil {
		return 0, err
	}
	return t.Txn.pending.Result()
}

func (t *Task) fencedBy(ctx context.Context, owner channel.Record) error {
	err := &FencedError{Stage: t.Definition.Name, Epoch: t.Ownership.Epoch, OwnerEpoch: owner.Frame.Epoch, OwnerCommit: owner.Frame.Commit, OwnerPlace: t.ownerPlace(ctx)}
	return ownershipLost{err, t.Instance}
}

// ownerPlace is where another owner is that entered itself last, as far as its entry tells.
func (t *Task) ownerPlace(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	newest, found, err := t.Channel.Newest(ctx)
	if err != nil || !found || newest.Frame.Owner == t.Ownership.Owner {
		return ""
	}
	return channel.Place(newest)
}

func (t *Task) fenced(ctx context.Context, last channel.Record, found bool) error {
	if found && last.Frame.Owner != t.Ownership.Owner && last.Sequence > t.Txn.expected {
		return t.fencedBy(ctx, last)
	}
	return fmt.Errorf("the channel of stage %s lost its tail: its last frame is not commit %d, which the server had acknowledged (was the server restored, purged, or hit by a power cut without sync?); the next start checks whether the pipeline can resume", t.Definition.Name, t.Txn.frame.Commit-1)
}

// refused says why a reader cannot go on. One whose stage was taken over finds
// its messages trimmed: the new owner has them, and that is the reason.
func (t *Task) refused(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	last, found, lookErr := t.Channel.End(ctx)
	if lookErr == nil && found && last.Frame.Owner != t.Ownership.Owner && last.Sequence > t.Progress.Last.Load() {
		err = t.fencedBy(ctx, last)
	}
	return t.escalate(err)
}

// lookTimeout bounds a look that only makes an error clearer.
const lookTimeout = 5 * time.Second
