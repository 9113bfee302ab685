package dlq

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Select calls fn with the letters that f selects of those that are there at the time of the call, oldest write first,
// one in memory at a time. fn may use the queue. An error of fn ends it and is returned as it is.
//
// As with [Queue.Each], what cannot be read does not hide the rest: ErrDamaged comes at the end.
//
// The order is that in which the letters were written. A letter of a later round is written later than its neighbours:
// replay in the order of [Queue.SelectInOrder].
func (q *Queue) Select(ctx context.Context, f Filter, fn func(Letter) error) error {
	return q.selectEach(ctx, f, fn, q.inWrittenOrder)
}

// SelectInOrder is Select in the order of origin: per stage, instance, input and its instance by ascending offset, so
// that letters of one key come as its messages came. It notes places, 24 bytes a letter, of at most a million letters
// at a time, and lists the queue once more for each further half million.
func (q *Queue) SelectInOrder(ctx context.Context, f Filter, fn func(Letter) error) error {
	return q.selectEach(ctx, f, fn, q.inOriginOrder)
}

type visitOrder func(ctx context.Context, f Filter, last uint64, bad *damage, visit func(sequence uint64, listed *Letter) error) error

func (q *Queue) selectEach(ctx context.Context, f Filter, fn func(Letter) error, order visitOrder) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("dlq: select: %w", err)
	}
	info, err := q.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("dlq: read stream %s: %w", q.name, err)
	}
	var bad damage
	err = order(ctx, f, info.State.LastSeq, &bad, func(sequence uint64, listed *Letter) error {
		if listed != nil && (f.WithoutValues || !listed.ValueOmitted) {
			return called(fn(*listed))
		}
		l, found, err := q.at(ctx, sequence)
		if isUnreadable(err) && (f.Unreadable || len(f.IDs) > 0) {
			l, found, err = q.unreadableAt(ctx, sequence)
		}
		if err != nil || !found {
			return err
		}
		if f.WithoutValues {
			l.Value, l.Original, l.ValueOmitted = nil, nil, l.ValueBytes > 0
		}
		return called(fn(l))
	})
	var own callerError
	if errors.As(err, &own) {
		return own.error
	}
	if err != nil {
		return fmt.Errorf("dlq: select: %w", err)
	}
	return bad.err(q.name)
}

func called(err error) error {
	if err != nil {
		return callerError{err}
	}
	return nil
}

// at reads the letter that was written as sequence, if it still is one.
func (q *Queue) at(ctx context.Context, sequence uint64) (Letter, bool, error) {
	msg, err := q.stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Letter{}, false, nil
	}
	if err != nil {
		return Letter{}, false, fmt.Errorf("read stream %s, sequence %d: %w", q.name, sequence, err)
	}
	l, err := q.decode(msg)
	return l, err == nil, err
}

func (q *Queue) inWrittenOrder(ctx context.Context, f Filter, last uint64, bad *damage, visit func(uint64, *Letter) error) error {
	if len(f.IDs) == 0 {
		return q.list(ctx, f, last, bad, func(l Letter) error { return visit(l.Sequence, &l) })
	}
	var sequences []uint64
	err := q.list(ctx, f, last, bad, func(l Letter) error {
		sequences = append(sequences, l.Sequence)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(sequences)
	for _, sequence := range slices.Compact(sequences) {
		if err := visit(sequence, nil); err != nil {
			return err
		}
	}
	return nil
}

// list calls fn with what a listing shows of the letters that f selects: in the order of their writing, with IDs in the
// order of those.
func (q *Queue) list(ctx context.Context, f Filter, last uint64, bad *damage, fn func(Letter) error) error {
	if len(f.IDs) > 0 {
		return q.listIDs(ctx, f, last, bad, fn)
	}
	s := scanner{q: q, stream: q.name, subject: f.subject(q.pipeline), next: 1}
	return s.each(ctx, last, func(m listed) error {
		if !f.mayMatch(m.message.Header) {
			return nil
		}
		l, err := q.listedLetter(ctx, m)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return nil
		case isUnreadable(err) && f.Unreadable:
			l = q.unreadable(m.message, m.size, err)
		case isUnreadable(err):
			bad.add(m.message.Sequence, err)
			return nil
		case err != nil:
			return err
		}
		if !f.matches(l) {
			return nil
		}
		return fn(l)
	})
}

// listedLetter decodes a listed message. A key that did not fit into a header it gets from the payload.
func (q *Queue) listedLetter(ctx context.Context, m listed) (Letter, error) {
	if len(m.message.Header[headerKeyBytes]) == 0 {
		l, err := decodeListed(m.message, m.size)
		l.Queue = q.mark
		return l, err
	}
	msg, err := q.stream.GetMsg(ctx, m.message.Sequence)
	if err != nil {
		return Letter{}, err
	}
	l, err := q.decode(msg)
	l.Value, l.Original, l.ValueOmitted = nil, nil, l.ValueBytes > 0
	return l, err
}

func (q *Queue) listIDs(ctx context.Context, f Filter, last uint64, bad *damage, fn func(Letter) error) error {
	others := f
	others.IDs = nil // a message in the place of a letter is found by the letter's ID, too
	for _, id := range f.IDs {
		l, sequence, err := q.byID(ctx, id, f.Unreadable)
		switch {
		case isUnreadable(err):
			bad.add(sequence, err)
		case err != nil:
			return err
		case sequence > 0 && sequence <= last && others.matches(l):
			if err := fn(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// byID finds what an ID names; sequence 0: nothing.
func (q *Queue) byID(ctx context.Context, id string, unreadable bool) (l Letter, sequence uint64, err error) {
	if sequence, ok := unreadableSequence(id); ok {
		l, _, err := q.unreadableAt(ctx, sequence)
		return l, l.Sequence, err
	}
	o, err := parseID(id)
	if err != nil {
		return Letter{}, 0, err
	}
	msg, err := q.stream.GetLastMsgForSubject(ctx, o.subject(q.pipeline))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Letter{}, 0, nil
	}
	if err != nil {
		return Letter{}, 0, fmt.Errorf("get %s from stream %s: %w", id, q.name, err)
	}
	l, err = q.decode(msg)
	if err != nil && unreadable {
		return q.unreadable(msg, len(msg.Data), err).withValue(msg.Data), msg.Sequence, nil
	}
	return l, msg.Sequence, err
}
