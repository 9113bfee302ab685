package dlq

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
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

// Put writes the letter, at most once: written is false when it was there before, from an earlier run say, in this or a
// later round. A letter of a later round replaces what is stored, in one step; so does any letter a message that is
// none, which another client published in its place. When Put returns without error the letter is
// stored, as safely as the server stores.
//
// A broker that does not answer is asked again until ctx ends; an error then says that it is not known whether the
// letter is stored, and Put may be called again. ErrFull, ErrTooLarge, ErrConflict, ErrGone, ErrInvalid and a closed
// connection are not waited for.
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
	written := false
	err = q.persist(ctx, "put", l.ID(), func() (err error) {
		written, err = q.try(ctx, msg)
		if err != nil && q.onRetry != nil && !errors.Is(err, errAgain) && !isFinal(err) {
			q.onRetry(l, err)
		}
		return err
	})
	return written, err
}

// message checks the letter and encodes it, cut as far as the server's maximum payload demands.
func (q *Queue) message(l Letter) (*nats.Msg, error) {
	if l.Pipeline == "" {
		l.Pipeline = q.pipeline
	}
	if l.Pipeline != q.pipeline {
		return nil, fmt.Errorf("%w letter: it belongs to pipeline %q", ErrInvalid, l.Pipeline)
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	if l.At.IsZero() {
		l.At = time.Now()
	}
	return q.fit(func(lim limits, write string) *nats.Msg { return encode(l, lim, write) })
}

// fit makes the message as large as the server takes it.
func (q *Queue) fit(encode func(lim limits, write string) *nats.Msg) (*nats.Msg, error) {
	most, write, size := q.js.Conn().MaxPayload(), rand.Text(), 0
	for _, lim := range []limits{fullLimits, smallLimits} {
		msg := encode(lim, write)
		size = headerSize(msg.Header) + len(msg.Data)
		if most <= 0 || int64(size) <= most {
			return msg, nil
		}
	}
	return nil, fmt.Errorf("%w: %d bytes of at most %d: raise max_payload of the NATS server", ErrTooLarge, size, most)
}

// try publishes once. After anything but success it looks for itself what is stored: an answer may be lost, and a
// refusal because of the expected sequence may, in a cluster, be on account of a message that is never committed.
func (q *Queue) try(ctx context.Context, msg *nats.Msg) (written bool, err error) {
	sequence, cause := q.publish(ctx, msg)
	if cause == nil {
		q.reach(sequence)
		return true, nil
	}
	answer, cancel := context.WithTimeout(ctx, q.retry.answer)
	defer cancel()
	there, err := q.stream.GetLastMsgForSubject(answer, msg.Subject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return false, expect(msg, 0, cause)
	case err != nil:
		return false, fmt.Errorf("%w; reading it back: %w", cause, err)
	}
	if there.Header.Get(headerWrite) == msg.Header.Get(headerWrite) {
		q.reach(there.Sequence)
		return true, nil
	}
	older, err := isOlder(there, msg)
	if errors.Is(err, ErrDamaged) && mayReplace(there) {
		q.logger.Warn("replaced a message that is not a dead letter: another client published it to the subject of a dead letter",
			"pipeline", q.pipeline, "subject", msg.Subject, "sequence", there.Sequence, "bytes", len(there.Data), "error", err)
		older, err = true, nil
	}
	if err == nil && !older {
		q.reach(there.Sequence)
	}
	if err != nil || !older {
		return false, err
	}
	return false, expect(msg, there.Sequence, cause)
}

// expect makes the next publish of msg demand that the last message of its subject is sequence. If this one did so
// already that was not the reason of the failure, and cause is returned.
func expect(msg *nats.Msg, sequence uint64, cause error) error {
	want := strconv.FormatUint(sequence, 10)
	if msg.Header.Get(jetstream.ExpectedLastSubjSeqHeader) == want {
		return cause
	}
	msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, want)
	return errAgain
}

func (q *Queue) publish(ctx context.Context, msg *nats.Msg) (sequence uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, q.retry.answer)
	defer cancel()
	ack, err := q.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
	if err == nil {
		return ack.Sequence, nil
	}
	if errors.Is(err, nats.ErrMaxPayload) {
		return 0, fmt.Errorf("%w: raise max_payload of the NATS server: %w", ErrTooLarge, err)
	}
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) && isFull(refusal) {
		return 0, newFullError(refusal, err)
	}
	return 0, err
}

// isOlder says whether what is stored is of an earlier round than msg, which may then replace it. In the same round it
// must be the same message: an earlier run's letter would hide this one.
func isOlder(there *jetstream.RawStreamMsg, msg *nats.Msg) (bool, error) {
	old, err := decode(there)
	if err != nil {
		return false, err
	}
	l, err := decode(&jetstream.RawStreamMsg{Subject: msg.Subject, Header: msg.Header, Data: msg.Data})
	if err != nil {
		return false, err
	}
	if old.Round == l.Round && (old.Key != l.Key || !bytes.Equal(old.Value, l.Value)) {
		return false, fmt.Errorf("%w: sequence %d, written %v: replay or discard it, or delete all dead letters if the pipeline "+
			"was started afresh", ErrConflict, old.Sequence, old.At)
	}
	return old.Round < l.Round, nil
}
