package dlq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	scanBatch    = 256 // messages in memory at most, headers of at most 64 KiB each
	scanFaults   = 5   // in a row before a scan gives up
	consumerIdle = time.Minute
)

// listed is a message without its payload.
type listed struct {
	message *jetstream.RawStreamMsg
	size    int // of the payload
}

// scanner reads the headers of a stream in order, by consumers that it makes anew when one fails or skips something. It
// is not safe for concurrent use.
type scanner struct {
	q       *Queue
	stream  string
	subject string
	next    uint64 // sequence to go on from

	consumer jetstream.Consumer
	count    uint64                 // delivered by this consumer
	ahead    jetstream.MessageBatch // asked for while the one before is worked on
}

// each calls fn with what is stored up to sequence last. An error of fn ends it and is returned as it is.
func (s *scanner) each(ctx context.Context, last uint64, fn func(listed) error) error {
	defer s.close(ctx)
	pause := s.q.retry.first
	for faults := 0; s.next <= last; {
		before := s.next
		end, err := s.batch(ctx, last, fn)
		var own callerError
		switch {
		case errors.As(err, &own):
			return own.error
		case end:
			return nil
		}
		if s.next != before {
			faults, pause = 0, s.q.retry.first
		}
		if err == nil {
			continue
		}
		s.close(ctx)
		if faults++; faults >= scanFaults || ctx.Err() != nil || isFinal(err) {
			return fmt.Errorf("read stream %s from sequence %d: %w", s.stream, s.next, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, s.q.retry.max)
	}
	return nil
}

// callerError tells an error of the callback from others.
type callerError struct{ error }

func (s *scanner) batch(ctx context.Context, last uint64, fn func(listed) error) (end bool, err error) {
	if err := s.open(ctx); err != nil {
		return false, err
	}
	messages, err := s.fetch()
	for _, msg := range messages {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if end, err := s.take(msg, last, fn); end || err != nil {
			return end, err
		}
	}
	if err != nil || len(messages) > 0 {
		return false, err
	}
	// Nothing came: because nothing is left, or because the server did not answer.
	info, err := s.consumer.Info(ctx)
	if err != nil {
		return false, err
	}
	if info.NumPending == 0 && info.Delivered.Consumer == s.count {
		return true, nil
	}
	return false, errSkipped
}

// fetch returns a batch and asks for the next one. It does not ask before the batch is complete: the server serves
// requests by turns.
func (s *scanner) fetch() (messages []jetstream.Msg, err error) {
	batch := s.ahead
	if batch == nil {
		if batch, err = s.consumer.FetchNoWait(scanBatch); err != nil {
			return nil, err
		}
	}
	for msg := range batch.Messages() {
		messages = append(messages, msg)
	}
	s.ahead = nil
	if err = batch.Error(); err == nil && len(messages) > 0 {
		s.ahead, err = s.consumer.FetchNoWait(scanBatch)
	}
	return messages, err
}

var errSkipped = errors.New("messages were not delivered")

func (s *scanner) take(msg jetstream.Msg, last uint64, fn func(listed) error) (end bool, err error) {
	at, err := msg.Metadata()
	if err != nil {
		return false, err
	}
	if s.count++; at.Sequence.Consumer != s.count {
		return false, errSkipped
	}
	if at.Sequence.Stream > last {
		return true, nil
	}
	h := headerReader{header: msg.Headers()}
	l := listed{
		message: &jetstream.RawStreamMsg{Subject: msg.Subject(), Sequence: at.Sequence.Stream, Header: msg.Headers(), Time: at.Timestamp},
		size:    h.optionalInt(nats.MsgSize),
	}
	if err := fn(l); err != nil {
		return false, callerError{err}
	}
	s.next = at.Sequence.Stream + 1
	return at.NumPending == 0 || at.Sequence.Stream == last, nil
}

func (s *scanner) open(ctx context.Context) error {
	if s.consumer != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.q.retry.answer)
	defer cancel()
	consumer, err := s.q.js.CreateConsumer(ctx, s.stream, jetstream.ConsumerConfig{
		Description:       "reads the dead letters of the pipeline " + s.q.pipeline,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       max(s.next, 1),
		AckPolicy:         jetstream.AckNonePolicy,
		FilterSubject:     s.subject,
		HeadersOnly:       true,
		InactiveThreshold: consumerIdle,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return err
	}
	s.consumer, s.count = consumer, 0
	return nil
}

// close deletes the consumer; should that fail, the server does so after a while.
func (s *scanner) close(ctx context.Context) {
	if s.consumer == nil {
		return
	}
	if s.ahead != nil {
		drain(s.ahead)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = s.q.js.DeleteConsumer(ctx, s.stream, s.consumer.CachedInfo().Name)
	s.consumer, s.ahead = nil, nil
}

// drain waits for the goroutine behind a batch, which ends at an answer of the server or soon without one.
func drain(batch jetstream.MessageBatch) {
	for range batch.Messages() {
	}
}
