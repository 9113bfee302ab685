package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/frame"

	"github.com/nats-io/nats.go/jetstream"
)

// Record is a stored frame.
type Record struct {
	Sequence uint64
	Time     time.Time // when the server stored it
	Size     int       // bytes
	Frame    *frame.Frame
	Data     []byte // what Frame was read from, and aliases
}

func (c *Channel) record(sequence uint64, stored time.Time, data []byte) (Record, error) {
	f, err := frame.Decode(data)
	if err != nil {
		return Record{}, c.corruptError(sequence, err)
	}
	return Record{Sequence: sequence, Time: stored, Size: len(data), Frame: f, Data: data}, nil
}

// Last returns the instance's last frame, as the stream's leader has it. A damaged one is [ErrCorruptFrame].
func (c *Channel) Last(ctx context.Context) (rec Record, found bool, err error) {
	err = repeat(ctx, c.broker, c.logger, "read the last frame of "+c.subject, func(ctx context.Context) error {
		rec, found, err = c.last(ctx)
		return err
	})
	return rec, found && err == nil, err
}

func (c *Channel) last(ctx context.Context) (Record, bool, error) {
	msg, err := c.stream.Load().GetLastMsgForSubject(ctx, c.subject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return Record{}, false, nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return Record{}, false, c.lostError()
	case err != nil:
		return Record{}, false, fmt.Errorf("stream %s: read the last frame of %s: %w", c.name, c.subject, err)
	}
	rec, err := c.record(msg.Sequence, msg.Time, msg.Data)
	return rec, err == nil, err
}

const (
	replayFrames = 256
	replayBytes  = 16 << 20
)

// Replay calls fn with the instance's frames from sequence from on, in order, up to the one that is the last at the time
// of the call. It goes on where it was after a lost connection, so fn sees each frame once. An error of fn ends it and
// is returned; a damaged frame is [ErrCorruptFrame]. fn may keep what it is given.
func (c *Channel) Replay(ctx context.Context, from uint64, fn func(Record) error) error {
	end, found, err := c.Last(ctx)
	if err != nil || !found || end.Sequence < from {
		return err
	}
	r := &replay{channel: c, next: from, end: end.Sequence, fn: fn}
	err = persist(ctx, c.broker, c.logger, "read the frames of "+c.subject, r.read)
	if caller := (callerError{}); errors.As(err, &caller) {
		return caller.error
	}
	return err
}

type replay struct {
	channel   *Channel
	next, end uint64
	fn        func(Record) error
}

// read goes on until the end, for as long as frames keep coming.
func (r *replay) read(ctx context.Context) error {
	ctx, release := r.channel.broker.WhileConnected(ctx)
	defer release()
	f, err := openFeed(ctx, r.channel, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       max(r.next, 1),
		AckPolicy:         jetstream.AckNonePolicy,
		FilterSubject:     r.channel.subject,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: time.Minute,
	}, replayFrames, replayBytes)
	if err != nil {
		return err
	}
	defer f.remove(ctx)
	if f.pending == 0 {
		return nil
	}
	return r.drain(ctx, f)
}

func (r *replay) drain(ctx context.Context, f *feed) error {
	silence := time.NewTimer(attemptTimeout)
	defer silence.Stop()
	for {
		if err := f.request(f.frames, f.bytes); err != nil {
			return err
		}
		select {
		case msg := <-f.msgs:
			item, err := f.accept(msg)
			if err != nil {
				return err
			}
			if item == nil {
				continue
			}
			if err := r.take(item); err != nil || item.sequence >= r.end || item.pending == 0 {
				return err
			}
			silence.Reset(attemptTimeout)
		case err := <-f.refused:
			return err
		case <-silence.C:
			return fmt.Errorf("stream %s: no frame for %v", r.channel.name, attemptTimeout)
		case <-ctx.Done():
			return fmt.Errorf("stream %s: read it again: %w", r.channel.name, context.Cause(ctx))
		}
	}
}

func (r *replay) take(item *item) error {
	if item.sequence < r.next || item.sequence > r.end {
		return nil
	}
	rec, err := r.channel.record(item.sequence, item.time, item.msg.Data)
	if err != nil {
		return err
	}
	if err := r.fn(rec); err != nil {
		return callerError{err}
	}
	r.next = item.sequence + 1
	return nil
}
