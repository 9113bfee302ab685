package channel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/engine/broker"
	"penstock/engine/frame"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Record is a stored frame.
type Record struct {
	Sequence uint64
	Tail     uint64    // of Last: the sequence of the last message on the subject, which the next frame has to expect
	Time     time.Time // when the server stored it
	Size     int       // bytes
	Frame    *frame.Frame
	Data     []byte // what Frame was read from, and aliases

	expected string // sequence of the message before, as the publish had it
}

// record makes a record of a message, and sets aside one that is no commit.
func (c *Channel) record(sequence uint64, stored time.Time, header nats.Header, data []byte) (rec Record, isFrame bool, err error) {
	return c.recordOn(c.subject, sequence, stored, header, data)
}

func (c *Channel) recordOn(subject string, sequence uint64, stored time.Time, header nats.Header, data []byte) (rec Record, isFrame bool, err error) {
	if !isMarked(header) {
		c.setAside(sequence, stored, data, noCommit)
		return Record{}, false, nil
	}
	reason, err := c.check(subject, sequence, header, data)
	if err != nil {
		return Record{}, false, err
	}
	if reason != "" {
		c.setAside(sequence, stored, data, reason)
		return Record{}, false, nil
	}
	f, err := acted(frame.Decode(data))
	if err != nil && c.passesDamaged(sequence, data, err) {
		c.setAside(sequence, stored, data, err.Error())
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, c.corruptError(sequence, err)
	}
	if isEntry := f.Kind == frame.KindClaim; isEntry != (subject == c.register) {
		c.setAside(sequence, stored, data, misplaced)
		return Record{}, false, nil
	}
	expected := strings.Join(header[jetstream.ExpectedLastSubjSeqHeader], ",")
	return Record{expected: expected, Sequence: sequence, Tail: sequence, Time: stored, Size: len(data), Frame: f, Data: data}, true, nil
}

// acted is a frame that this build acts on, all of it. Another one was written by a newer version.
func acted(f *frame.Frame, err error) (*frame.Frame, error) {
	if err != nil {
		return nil, err
	}
	if err := f.CheckActed(); err != nil {
		return nil, err
	}
	return f, nil
}

const (
	replayFrames = 256
	replayBytes  = 16 << 20
)

// Replay calls fn with the instance's commits in order, from sequence from to the last one at the time of the call.
// Seals, and what other clients put between them, are left out. After a lost connection it goes on where it was: fn
// sees each frame once, and may keep it. An error of fn ends the replay and is returned. A damaged frame is
// [ErrCorruptFrame].
func (c *Channel) Replay(ctx context.Context, from uint64, fn func(Record) error) error {
	end, found, err := c.Last(ctx)
	if err != nil || !found || end.Sequence < from {
		return err
	}
	r := &scan{channel: c, what: commits, next: from, end: end.Sequence, fn: fn}
	err = persist(ctx, c.broker, c.logger, "read the frames of "+c.subject, r.read)
	if caller := (callerError{}); errors.As(err, &caller) {
		return caller.error
	}
	return err
}

// scan reads a piece of the stream.
type scan struct {
	channel   *Channel
	what      kinds
	next, end uint64
	fn        func(Record) error
}

// kinds are the frames that a scan gives to fn.
type kinds int

const (
	commits kinds = iota
	commitsAndSeals
	entries // of the register
)

func (r *scan) subject() string {
	if r.what == entries {
		return r.channel.register
	}
	return r.channel.subject
}

// read goes on until the end, for as long as frames keep coming.
func (r *scan) read(ctx context.Context) error {
	ctx, release := r.channel.broker.WhileConnected(ctx)
	defer release()
	f, err := openFeed(ctx, r.channel, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       max(r.next, 1),
		AckPolicy:         jetstream.AckNonePolicy,
		FilterSubject:     r.subject(),
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: time.Minute,
	}, replayFrames, replayBytes)
	if err != nil {
		return err
	}
	defer f.remove(ctx)
	if f.pending == 0 {
		if over, err := r.isOver(ctx); over || err != nil {
			return err
		}
	}
	return r.drain(ctx, f)
}

// isOver says that nothing is stored behind what was read, as the stream's leader has it. The consumer may be on a
// replica that lags behind the leader: it says too early that nothing is left.
func (r *scan) isOver(ctx context.Context) (over bool, err error) {
	if r.next > r.end {
		return true, nil
	}
	err = r.channel.once(ctx, func(ctx context.Context) error {
		msg, err := r.channel.stream.Load().GetMsg(ctx, max(r.next, 1), jetstream.WithGetMsgSubject(r.subject()))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			over = true
			return nil
		}
		if err == nil {
			over = msg.Sequence > r.end
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("stream %s: look for frames from sequence %d on: %w", r.channel.name, r.next, err)
	}
	return over, nil
}

func (r *scan) drain(ctx context.Context, f *feed) error {
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
			if err := r.take(item); err != nil || item.sequence >= r.end {
				return err
			}
			if item.pending == 0 {
				if over, err := r.isOver(ctx); over || err != nil {
					return err
				}
			}
			silence.Reset(attemptTimeout)
		case err := <-f.refused:
			return err
		case <-silence.C:
			return fmt.Errorf("stream %s: no frame for %v", r.channel.name, attemptTimeout)
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), broker.ErrDisconnected) {
				if reason := f.cut(false); reason != nil {
					return fmt.Errorf("stream %s: read it again: %w", r.channel.name, reason)
				}
			}
			return fmt.Errorf("stream %s: read it again: %w", r.channel.name, context.Cause(ctx))
		}
	}
}

func (r *scan) take(item *item) error {
	if item.sequence < r.next || item.sequence > r.end {
		return nil
	}
	rec, isFrame, err := r.channel.recordOn(r.subject(), item.sequence, item.time, item.msg.Header, item.msg.Data)
	if err != nil {
		return err
	}
	if isFrame && (r.what != commits || rec.Frame.Kind.IsCommit()) {
		if err := r.fn(rec); err != nil {
			return callerError{err}
		}
	}
	r.next = item.sequence + 1
	return nil
}
