package register

import (
	"context"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/rule"
)

// Successor is what a take-over needs of the instance.
type Successor interface {
	// CatchUp reads the commits before the seal.
	CatchUp(ctx context.Context, t *Taken) error
	// Fence encodes the first commit of the new owner, which repeats all that a start needs.
	Fence(t *Taken) ([]byte, error)
}

// TakeOver makes the claimant the owner. It tries once: it goes on after a lost answer and gives way to another claim
// with a [LostError].
func (c *Claimant) TakeOver(ctx context.Context, s Successor) (t Taken, err error) {
	if err := c.close(ctx, &t, s); err != nil {
		return t, err
	}
	if rule.SealBeforeRead {
		if err := s.CatchUp(ctx, &t); err != nil {
			return t, err
		}
	}
	data, err := s.Fence(&t)
	if err != nil {
		return t, fmt.Errorf("encode the fence: %w", err)
	}
	t.Fence, err = c.fence(ctx, &t, data)
	return t, err
}

// close claims the instance and seals it, so that what the owner before has committed is final.
func (c *Claimant) close(ctx context.Context, t *Taken, s Successor) error {
	for t.Seal == 0 {
		if err := c.claim(ctx, t); err != nil {
			return err
		}
		if !rule.SealBeforeRead {
			if err := s.CatchUp(ctx, t); err != nil {
				return err
			}
		}
		if err := c.seal(ctx, t); err != nil {
			return err
		}
	}
	faultpoint.Hit(faultpoint.AfterSeal, c.Stage)
	return nil
}

// claim enters the claimant in the register, unless another one is faster.
func (c *Claimant) claim(ctx context.Context, t *Taken) error {
	newest, found, err := c.Log.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read the register: %w", err)
	}
	// It claims again. A server that lost what it had acknowledged may have gone back to an older entry.
	if found && t.Claim != 0 && newest.Frame.Owner != c.Owner && newest.Frame.Epoch >= t.Epoch {
		return lostTo(newest, t.Epoch)
	}
	if err := c.look(ctx, t); err != nil {
		return err
	}
	if found {
		t.Epoch = max(t.Epoch, newest.Frame.Epoch)
	}
	t.Epoch++
	t.Claims++
	if !rule.Claiming {
		t.Claim = newest.Sequence
		return nil
	}
	t.Claim, err = c.enter(ctx, t.Epoch, newest, found)
	faultpoint.Hit(faultpoint.AfterClaim, c.Stage)
	return err
}

// look notes the newest commit that is known, and the epoch of what stands at the end.
func (c *Claimant) look(ctx context.Context, t *Taken) error {
	last, found, err := c.Log.End(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the last frame: %w", err)
	case !found:
		return nil
	case last.Frame.Kind == frame.KindSeal: // a claimant was stopped before its fence
		t.Seen, t.Commit = last.Frame.Claim.Seen, last.Frame.Commit
	default:
		t.Seen, t.Commit = last.Sequence, last.Frame.Commit
	}
	t.Epoch = max(t.Epoch, last.Frame.Epoch)
	return nil
}

// enter appends an entry of an epoch behind the newest one, and returns its sequence.
func (c *Claimant) enter(ctx context.Context, epoch uint64, newest channel.Record, found bool) (uint64, error) {
	data, err := frame.Append(nil, &frame.Frame{Owner: c.Owner, Epoch: epoch, Kind: frame.KindClaim, Notes: c.Notes}, frame.Options{})
	if err != nil {
		return 0, fmt.Errorf("encode the claim: %w", err)
	}
	before := uint64(0)
	if found {
		before = newest.Frame.Epoch
	}
	// What is sent again expects the same message as before, or one behind it: it is stored once.
	sequence, err := c.insist(ctx, func() *channel.Pending { return c.Log.Claim(data, newest.Tail) }, func() (uint64, error) {
		now, isThere, err := c.Log.Newest(ctx)
		switch {
		case err != nil:
			return 0, fmt.Errorf("read the register: %w", err)
		case isThere && now.Frame.Owner == c.Owner && now.Frame.Epoch == epoch:
			return now.Sequence, nil
		case isThere && now.Frame.Epoch > before:
			return 0, lostTo(now, epoch)
		}
		newest.Tail = now.Tail // what is behind it is of another client, or its owner entered itself again
		return 0, nil
	})
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	return sequence, nil
}

// seal closes the subject of commits for the owner before. Without a result the claim has to be repeated.
func (c *Claimant) seal(ctx context.Context, t *Taken) error {
	data, err := frame.Append(nil, &frame.Frame{
		Owner: c.Owner, Epoch: t.Epoch, Kind: frame.KindSeal, Commit: t.Commit, Claim: frame.Claim{Sequence: max(t.Claim, 1), Seen: t.Seen}, // 0 without the rule
	}, frame.Options{})
	if err != nil {
		return fmt.Errorf("encode the seal: %w", err)
	}
	sequence, err := c.send(ctx, c.Log.Seal(data, t.Claim))
	if err == nil {
		t.Seal = sequence
		return nil
	}
	if !isOpen(err) {
		return fmt.Errorf("seal: %w", err)
	}
	c.tries(err)
	last, found, err := c.Log.End(ctx)
	if err != nil {
		return fmt.Errorf("seal: read the last frame: %w", err)
	}
	if found && last.Frame.Kind == frame.KindSeal && last.Frame.Owner == c.Owner && last.Frame.Epoch == t.Epoch {
		t.Seal = last.Sequence
		return nil
	}
	return c.Clock.Pause(ctx, firstDelay)
}

// fence commits the first frame of the new owner, unless a newer claim has sealed the subject meanwhile.
func (c *Claimant) fence(ctx context.Context, t *Taken, data []byte) (uint64, error) {
	expected := t.Seal
	sequence, err := c.insist(ctx, func() *channel.Pending { return c.Log.Publish(data, expected, channel.Trace{}) }, func() (uint64, error) {
		last, found, err := t.Last(ctx, c.Log, t.Seal)
		switch {
		case err != nil:
			return 0, fmt.Errorf("read the last frame: %w", err)
		case !found || last.Sequence < t.Seal:
			return 0, fmt.Errorf("%w: what this owner had sealed is gone before its first commit (was the stream purged or restored?); the next start checks whether the pipeline can resume", channel.ErrAhead)
		case t.IsReplacedBy(last.Frame):
			return 0, lostTo(last, t.Epoch)
		case last.Frame.Kind.IsCommit():
			return last.Sequence, nil
		}
		expected = last.Tail // what is behind the seal is of another client, a copy of the seal too
		return 0, nil
	})
	if err != nil {
		return 0, fmt.Errorf("fence: %w", err)
	}
	return sequence, nil
}

const (
	firstDelay = 20 * time.Millisecond
	mostDelay  = 500 * time.Millisecond
)

// insist sends until it is known that what it sends is stored, or cannot be. look returns the sequence where it is, or
// 0 when it may be sent again.
func (c *Claimant) insist(ctx context.Context, publish func() *channel.Pending, look func() (uint64, error)) (uint64, error) {
	for delay := time.Duration(0); ; delay = min(max(2*delay, firstDelay), mostDelay) {
		sequence, err := c.send(ctx, publish())
		if err == nil || !isOpen(err) {
			return sequence, err
		}
		c.tries(err)
		if err := c.Clock.Pause(ctx, delay); err != nil {
			return 0, err
		}
		if sequence, err = look(); err != nil || sequence != 0 {
			return sequence, err
		}
	}
}

func (c *Claimant) tries(cause error) {
	if c.OnTry != nil {
		c.OnTry(cause)
	}
}

func (c *Claimant) send(ctx context.Context, pending *channel.Pending) (uint64, error) {
	if err := c.Clock.Until(ctx, pending.Done()); err != nil {
		return 0, err
	}
	return pending.Result()
}
