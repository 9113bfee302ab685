package dlq

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Discard deletes this write of the letter, for good. One that a later round has replaced since it was read stays. That
// the letter is gone already is no error. Like Put it outlasts an outage of the broker.
func (q *Queue) Discard(ctx context.Context, l Letter) error {
	if err := q.discard(ctx, l); err != nil {
		return fmt.Errorf("dlq: discard %s from stream %s: %w", l.ID(), q.name, err)
	}
	return nil
}

func (q *Queue) discard(ctx context.Context, l Letter) error {
	return q.persist(ctx, "discard", l.ID(), func() error {
		current, err := q.isCurrent(ctx, l)
		if err != nil || !current {
			return err
		}
		return q.once(ctx, func(ctx context.Context) error { return q.remove(ctx, q.stream, l.Sequence) })
	})
}

// remove deletes a message. Where that fails it looks whether another client was faster.
func (q *Queue) remove(ctx context.Context, stream jetstream.Stream, sequence uint64) error {
	cause := stream.DeleteMsg(ctx, sequence)
	if cause == nil {
		return nil
	}
	_, err := stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; reading it back: %w", cause, err)
	}
	return cause
}

// isCurrent says whether this write of the letter is still what is stored. The time it was written at tells it from one
// of a stream that was made anew, whose sequences begin again.
func (q *Queue) isCurrent(ctx context.Context, l Letter) (bool, error) {
	if l.Sequence == 0 {
		return false, fmt.Errorf("%w letter: it has no sequence, it was not read from the queue", ErrInvalid)
	}
	var msg *jetstream.RawStreamMsg
	err := q.once(ctx, func(ctx context.Context) (err error) {
		msg, err = q.stream.GetMsg(ctx, l.Sequence)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	if l.Unreadable {
		_, err := decode(msg)
		return err != nil && msg.Time.Equal(l.At), nil
	}
	at, err := decodeTime(msg.Header.Get(headerAt))
	return err == nil && msg.Subject == l.origin().subject(q.pipeline) && at.Equal(l.At), nil
}
