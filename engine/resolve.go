package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/supervise"
)

// resolveDelay is the longest pause between two looks at what became of a
// commit. They cost little, and a leader may be there again at any moment.
const resolveDelay = 500 * time.Millisecond

// resolve finds out what became of a commit without a good answer: it is the
// channel's last frame, or it is not and is sent again, or another writer's is.
func (t *task) resolve(ctx context.Context, cause error) (uint64, error) {
	defer t.waiting.waits.end(waitPermission)
	delay := time.Duration(0)
	for try := 0; ; try++ {
		if !errors.Is(cause, channel.ErrConflict) && !errors.Is(cause, channel.ErrUnknown) && !errors.Is(cause, channel.ErrFull) {
			return 0, t.escalate(fmt.Errorf("commit: %w", cause))
		}
		if try == 1 {
			t.log.Warn("commit outcome unknown; reading the stream back", "commit", t.flight.frame.Commit, "error", cause)
		}
		t.waiting.waits.begin(waitFor(cause, waitCommit), cause.Error())
		if err := t.run.clock.Pause(ctx, delay); err != nil {
			return 0, err
		}
		delay = min(max(2*delay, 20*time.Millisecond), resolveDelay)
		tail := t.flight.tail
		sequence, err := t.lookBack(ctx)
		if err == nil {
			if try > 1 {
				t.log.Info("commit outcome known: it is stored", "commit", t.flight.frame.Commit)
			}
			return sequence, nil
		}
		if supervise.IsFatal(err) || ctx.Err() != nil {
			return 0, err
		}
		if cause = err; t.flight.tail != tail {
			delay = 0 // messages of others come in between: the next try is soon, to be before the next of them
		}
	}
}

// waitFor names a wait by its cause, if that says more than kind.
func waitFor(cause error, kind waitKind) waitKind {
	if errors.Is(cause, broker.ErrPermission) {
		return waitPermission
	}
	return kind
}

// lookBack reads the last frame back, and publishes once more if it is the
// one before ours. Messages of others may be behind it: then the frame has to
// expect the last of them, and one that is still on its way can come no more.
func (t *task) lookBack(ctx context.Context) (uint64, error) {
	last, found, err := t.channel.Last(ctx)
	switch {
	case errors.Is(err, channel.ErrStreamLost):
		return 0, t.escalate(err)
	case err != nil:
		return 0, fmt.Errorf("%w: %w", channel.ErrUnknown, err)
	case found && last.Frame.Owner == t.ownership.owner && last.Frame.Commit == t.flight.frame.Commit:
		return last.Sequence, nil
	case found && last.Sequence != t.flight.expected, !found && t.flight.expected != 0:
		return 0, t.escalate(t.fenced(last, found))
	}
	t.flight.tail = last.Tail
	t.flight.pending = t.channel.Publish(t.flight.data, last.Tail, t.flight.trace)
	if err := t.run.clock.Until(ctx, t.flight.pending.Done()); err != nil {
		return 0, err
	}
	return t.flight.pending.Result()
}

func (t *task) fencedBy(owner channel.Record) error {
	return &FencedError{Stage: t.definition.Name, Epoch: t.ownership.epoch, OwnerEpoch: owner.Frame.Epoch, OwnerCommit: owner.Frame.Commit}
}

func (t *task) fenced(last channel.Record, found bool) error {
	if found && last.Frame.Owner != t.ownership.owner && last.Sequence > t.flight.expected {
		return t.fencedBy(last)
	}
	return fmt.Errorf("the channel of stage %s lost its tail: its last frame is not commit %d, which the server had acknowledged (was the server restored, purged, or hit by a power cut without sync?); the next start checks whether the pipeline can resume", t.definition.Name, t.flight.frame.Commit-1)
}

// refused says why a reader cannot go on. One whose stage was taken over finds
// its messages trimmed: the new owner has them, and that is the reason.
func (t *task) refused(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	last, found, lookErr := t.channel.Last(ctx)
	if lookErr == nil && found && last.Frame.Owner != t.ownership.owner && last.Sequence > t.progress.last.Load() {
		err = t.fencedBy(last)
	}
	return t.escalate(err)
}

// lookTimeout bounds a look that only makes an error clearer.
const lookTimeout = 5 * time.Second
