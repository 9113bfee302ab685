package dlq

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// retry says how Put deals with a broker that does not answer.
type retry struct {
	answer     time.Duration // wait for one answer
	first, max time.Duration // pause before the next try: doubles from first to max
	gone       int           // tries in a row without a stream before it counts as deleted, not as recovering
	logEvery   int           // tries
}

var defaultRetry = retry{answer: 5 * time.Second, first: 50 * time.Millisecond, max: 2 * time.Second, gone: 8, logEvery: 30}

// Put writes the letter, at most once: written is false when it was there before, from an earlier run say. When Put
// returns without error the letter is stored, as safely as the server stores.
//
// A broker that does not answer is asked again until ctx ends; an error then says that it is not known whether the letter
// is stored, and Put may be called again. ErrFull, ErrTooLarge, ErrConflict, ErrGone, ErrInvalid and a closed connection
// are not waited for.
func (q *Queue) Put(ctx context.Context, l Letter) (written bool, err error) {
	written, err = q.put(ctx, l)
	if err != nil {
		return false, fmt.Errorf("dlq: put %s into stream %s: %w", l.ID(), q.name, err)
	}
	return written, nil
}

func (q *Queue) put(ctx context.Context, l Letter) (bool, error) {
	msg, err := q.message(l)
	if err != nil {
		return false, err
	}
	pause, gone := q.retry.first, 0
	for try := 1; ; try++ {
		written, err := q.try(ctx, msg)
		if err == nil || isFinal(err) {
			return written, err
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			gone++
		} else {
			gone = 0
		}
		if gone >= q.retry.gone {
			return false, fmt.Errorf("%w: restart the pipeline to make it anew; the letters that were in it are lost", ErrGone)
		}
		if ctx.Err() == nil && try%q.retry.logEvery == 1 {
			q.logger.Warn("dead letter waits for the broker", "pipeline", q.pipeline, "letter", l.ID(), "try", try, "error", err)
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("not known to be stored: %w (try %d: %w)", ctx.Err(), try, err)
		case <-time.After(pause):
		}
		pause = min(2*pause, q.retry.max)
	}
}

// message checks the letter and encodes it, cut as far as the server's maximum payload demands.
func (q *Queue) message(l Letter) (*nats.Msg, error) {
	if l.Pipeline == "" {
		l.Pipeline = q.pipeline
	}
	if l.Pipeline != q.pipeline {
		return nil, fmt.Errorf("%w letter: it is of pipeline %q", ErrInvalid, l.Pipeline)
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	if l.At.IsZero() {
		l.At = time.Now()
	}
	most, write, size := q.js.Conn().MaxPayload(), rand.Text(), 0
	for _, lim := range []limits{fullLimits, smallLimits} {
		msg := encode(l, lim, write)
		size = headerSize(msg.Header) + len(msg.Data)
		if most <= 0 || int64(size) <= most {
			return msg, nil
		}
	}
	return nil, fmt.Errorf("%w: %d bytes of at most %d: raise max_payload of the NATS server", ErrTooLarge, size, most)
}

// try publishes once. After anything but success it looks for itself what is stored: an answer may be lost, and a refusal
// because of the expected sequence may, in a cluster, be on account of a message that is never committed.
func (q *Queue) try(ctx context.Context, msg *nats.Msg) (written bool, err error) {
	cause := q.publish(ctx, msg)
	if cause == nil {
		return true, nil
	}
	answer, cancel := context.WithTimeout(ctx, q.retry.answer)
	defer cancel()
	there, err := q.stream.GetLastMsgForSubject(answer, msg.Subject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return false, cause
	case err != nil:
		return false, fmt.Errorf("%w; reading it back: %w", cause, err)
	}
	if err := sameMessage(there, msg); err != nil {
		return false, err
	}
	return there.Header.Get(headerWrite) == msg.Header.Get(headerWrite), nil
}

func (q *Queue) publish(ctx context.Context, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, q.retry.answer)
	defer cancel()
	_, err := q.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
	if errors.Is(err, nats.ErrMaxPayload) {
		return fmt.Errorf("%w: raise max_payload of the NATS server: %w", ErrTooLarge, err)
	}
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) && isFull(refusal) {
		return fmt.Errorf("%w: replay or discard some, or raise MaxBytes or MaxMessages, or the account's limit: %w", ErrFull, err)
	}
	return err
}

// sameMessage guards against an earlier run's letter that would hide this one.
func sameMessage(there *jetstream.RawStreamMsg, msg *nats.Msg) error {
	old, err := decode(there)
	if err != nil {
		return err
	}
	l, err := decode(&jetstream.RawStreamMsg{Subject: msg.Subject, Header: msg.Header, Data: msg.Data})
	if err != nil {
		return err
	}
	if old.Key != l.Key || !bytes.Equal(old.Value, l.Value) {
		return fmt.Errorf("%w: sequence %d, written %v: replay or discard it, or delete all dead letters if the pipeline "+
			"was started afresh", ErrConflict, old.Sequence, old.At)
	}
	return nil
}
