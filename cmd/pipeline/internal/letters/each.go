package letters

import (
	"context"
	"errors"
	"time"

	"penstock/dlq"
)

// Outcome is what became of one letter.
type Outcome struct {
	ID    string `json:"id"`
	Fate  Fate   `json:"result"`
	Error string `json:"error,omitempty"` // of one that is refused
}

// Fate is what became of a letter.
type Fate string

const (
	Done    Fate = "done"    // asked for, or discarded
	Waits   Fate = "waits"   // was asked for before
	Gone    Fate = "gone"    // replaced, replayed or discarded meanwhile
	Refused Fate = "refused" // the error says why
)

// Each calls fn with the letters of a queue that are selected.
func Each(ctx context.Context, q *dlq.Queue, s Request, fn func(dlq.Letter) error) error {
	if s.Order == ByOrigin {
		return q.SelectInOrder(ctx, s.Filter, fn)
	}
	return q.Select(ctx, s.Filter, fn)
}

// Replay asks for replays, in the order of origin. Why one is refused is in the words of explain.
func Replay(ctx context.Context, q *dlq.Queue, r Request, explain func(error) string, told func(Outcome) error) error {
	r.WithoutValues = true
	pace := pacer{pause: r.Pause}
	return q.SelectInOrder(ctx, r.Filter, func(l dlq.Letter) error {
		if r.Sequence != 0 && l.Sequence != r.Sequence {
			return told(Outcome{ID: l.ID(), Fate: Gone})
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
		err := q.Replay(ctx, l, dlq.ReplayOptions{To: r.To, Value: r.Value, Original: r.Original, MaxRounds: r.Rounds})
		fate, err := fateOf(err)
		if err != nil && fate != Refused {
			return err
		}
		o := Outcome{ID: l.ID(), Fate: fate}
		if err != nil {
			o.Error = explain(err)
		}
		return told(o)
	})
}

// fateOf tells what concerns one letter from what concerns all.
func fateOf(err error) (Fate, error) {
	switch {
	case err == nil:
		return Done, nil
	case errors.Is(err, dlq.ErrPending):
		return Waits, nil
	case errors.Is(err, dlq.ErrStale):
		return Gone, nil
	case errors.Is(err, dlq.ErrRounds), errors.Is(err, dlq.ErrTooLarge), errors.Is(err, dlq.ErrDamaged), errors.Is(err, dlq.ErrNewerVersion), errors.Is(err, dlq.ErrInvalid):
		return Refused, err
	}
	return "", err
}

// Discard deletes letters, the oldest first.
func Discard(ctx context.Context, q *dlq.Queue, f dlq.Filter, told func(Outcome) error) error {
	f.WithoutValues = true
	return q.Select(ctx, f, func(l dlq.Letter) error {
		if err := q.Discard(ctx, l); err != nil {
			return err
		}
		return told(Outcome{ID: l.ID(), Fate: Done})
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
