package cli

import (
	"context"
	"errors"
	"time"

	"penstock/dlq"
)

// outcome is what became of one letter.
type outcome struct {
	ID    string `json:"id"`
	Fate  fate   `json:"result"`
	Error string `json:"error,omitempty"` // of one that is refused
}

type fate string

const (
	fateDone    fate = "done"    // asked for, or discarded
	fateWaits   fate = "waits"   // was asked for before
	fateGone    fate = "gone"    // replaced, replayed or discarded meanwhile
	fateRefused fate = "refused" // the error says why
)

// eachLetter calls fn with the letters of a queue that are selected.
func eachLetter(ctx context.Context, q *dlq.Queue, s lettersRequest, fn func(dlq.Letter) error) error {
	if s.Order == byOrigin {
		return q.SelectInOrder(ctx, s.Filter, fn)
	}
	return q.Select(ctx, s.Filter, fn)
}

// replayEach asks for replays, in the order of origin.
func replayEach(ctx context.Context, q *dlq.Queue, r lettersRequest, told func(outcome) error) error {
	r.WithoutValues = true
	pace := pacer{pause: r.Pause}
	return q.SelectInOrder(ctx, r.Filter, func(l dlq.Letter) error {
		if r.Sequence != 0 && l.Sequence != r.Sequence {
			return told(outcome{ID: l.ID(), Fate: fateGone})
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
		err := q.Replay(ctx, l, dlq.ReplayOptions{To: r.To, Value: r.Value, MaxRounds: r.Rounds})
		fate, err := fateOf(err)
		if err != nil && fate != fateRefused {
			return err
		}
		o := outcome{ID: l.ID(), Fate: fate}
		if err != nil {
			o.Error = err.Error()
		}
		return told(o)
	})
}

// fateOf tells what concerns one letter from what concerns all.
func fateOf(err error) (fate, error) {
	switch {
	case err == nil:
		return fateDone, nil
	case errors.Is(err, dlq.ErrPending):
		return fateWaits, nil
	case errors.Is(err, dlq.ErrStale):
		return fateGone, nil
	case errors.Is(err, dlq.ErrRounds), errors.Is(err, dlq.ErrTooLarge), errors.Is(err, dlq.ErrDamaged), errors.Is(err, dlq.ErrNewerVersion), errors.Is(err, dlq.ErrInvalid):
		return fateRefused, err
	}
	return "", err
}

// discardEach deletes letters, the oldest first.
func discardEach(ctx context.Context, q *dlq.Queue, f dlq.Filter, told func(outcome) error) error {
	f.WithoutValues = true
	return q.Select(ctx, f, func(l dlq.Letter) error {
		if err := q.Discard(ctx, l); err != nil {
			return err
		}
		return told(outcome{ID: l.ID(), Fate: fateDone})
	})
}

// pacer keeps a distance between calls.
type pacer struct {
	pause time.Duration
	next  time.Time
}

func (p *pacer) wait(ctx context.Context) error {
	now := time.Now()
	if p.pause <= 0 || !p.next.After(now) {
		p.next = now.Add(p.pause)
		return ctx.Err()
	}
	select {
	case <-time.After(p.next.Sub(now)):
		p.next = p.next.Add(p.pause)
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
