package dlq

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Watch calls fn with the letters that f selects of those that are written from now on, each once and in order, until
// ctx ends or fn returns an error, and returns that. A letter that is gone again when its turn comes is passed over.
// Watch outlasts an outage of the broker, and that the stream is made anew.
func (q *Queue) Watch(ctx context.Context, f Filter, fn func(Letter) error) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("dlq: watch: %w", err)
	}
	info, err := q.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("dlq: watch stream %s: %w", q.name, err)
	}
	return q.watch(ctx, f, info.State.LastSeq+1, fn)
}

// Follow is Watch that begins with the letters that are there.
func (q *Queue) Follow(ctx context.Context, f Filter, fn func(Letter) error) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("dlq: watch: %w", err)
	}
	return q.watch(ctx, f, 1, fn)
}

func (q *Queue) watch(ctx context.Context, f Filter, from uint64, fn func(Letter) error) error {
	s := scanner{q: q, stream: q.name, subject: f.subject(q.pipeline), next: from}
	defer s.close(ctx)
	pause := q.retry.first
	for tries := 1; ; tries++ {
		before := s.next
		err := q.watchOn(ctx, &s, f, fn)
		var own callerError
		if errors.As(err, &own) {
			return own.error
		}
		if s.next != before {
			tries, pause = 1, q.retry.first
		}
		s.close(ctx)
		if ctx.Err() == nil && tries%q.retry.logEvery == 1 {
			q.logger.Warn("watching the dead letters: cannot reach the NATS server; retrying", "pipeline", q.pipeline, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, q.retry.max)
	}
}

// watchOn goes on until something fails.
func (q *Queue) watchOn(ctx context.Context, s *scanner, f Filter, fn func(Letter) error) error {
	var info *jetstream.StreamInfo
	err := q.once(ctx, func(ctx context.Context) (err error) {
		info, err = q.stream.Info(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if s.next > info.State.LastSeq+1 {
		s.next = 1 // the stream was made anew
	}
	for {
		if err := s.open(ctx); err != nil {
			return err
		}
		if err := q.watchBatch(ctx, s, f, fn); err != nil {
			return err
		}
	}
}

func (q *Queue) watchBatch(ctx context.Context, s *scanner, f Filter, fn func(Letter) error) error {
	waiting, cancel := context.WithCancel(ctx)
	batch, err := s.consumer.Fetch(scanBatch, jetstream.FetchContext(waiting))
	if err != nil {
		cancel()
		return err
	}
	defer drain(batch)
	defer cancel()
	for msg := range batch.Messages() {
		_, err := s.take(msg, math.MaxUint64, func(m listed) error { return q.watched(ctx, m, f, fn) })
		var own callerError
		if errors.As(err, &own) {
			return own.error
		}
		if err != nil {
			return err
		}
	}
	return batch.Error()
}

func (q *Queue) watched(ctx context.Context, m listed, f Filter, fn func(Letter) error) error {
	l, err := q.listedLetter(ctx, m)
	if isUnreadable(err) && f.Unreadable {
		l, err = q.unreadable(m.message, m.size, err), nil
	}
	if isUnreadable(err) {
		q.logger.Warn("watching the dead letters: skipping a message that cannot be read", "pipeline", q.pipeline, "error", err)
		return nil
	}
	if err == nil && !f.matches(l) {
		return nil
	}
	if err == nil && l.ValueOmitted && !f.WithoutValues {
		var found bool
		if l.Unreadable {
			l, found, err = q.unreadableAt(ctx, l.Sequence)
		} else {
			l, found, err = q.at(ctx, l.Sequence)
		}
		if err == nil && !found {
			return nil
		}
	}
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil
	case err != nil:
		return err
	}
	return called(fn(l))
}
