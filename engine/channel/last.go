package channel

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"penstock/engine/broker"

	"github.com/nats-io/nats.go/jetstream"
)

// Last returns the instance's last frame, as the stream's leader has it, whatever others have put behind it. A damaged
// one is [ErrCorruptFrame]. Record.Tail counts also when none is found.
func (c *Channel) Last(ctx context.Context) (rec Record, found bool, err error) {
	err = persist(ctx, c.broker, c.logger, "read the last frame of "+c.subject, func(ctx context.Context) error {
		rec, found, err = c.last(ctx)
		return err
	})
	return rec, found && err == nil, err
}

func (c *Channel) last(ctx context.Context) (Record, bool, error) {
	msg, err := c.lastMessage(ctx)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return Record{}, false, nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return Record{}, false, c.lostError()
	case err != nil:
		return Record{}, false, fmt.Errorf("stream %s: read the last frame of %s: %w", c.name, c.subject, err)
	}
	rec, isFrame, err := c.record(msg.Sequence, msg.Time, msg.Header, msg.Data)
	if err != nil {
		return Record{}, false, err
	}
	if isFrame {
		return rec, true, nil
	}
	return c.lastBefore(ctx, msg.Sequence)
}

func (c *Channel) lastMessage(ctx context.Context) (*jetstream.RawStreamMsg, error) {
	var msg *jetstream.RawStreamMsg
	err := c.once(ctx, func(ctx context.Context) (err error) {
		msg, err = c.stream.Load().GetLastMsgForSubject(ctx, c.subject)
		if err != nil && errors.Is(context.Cause(ctx), broker.ErrDisconnected) {
			if reason := c.broker.Pulls().Cut(); reason != nil {
				return reason
			}
		}
		return err
	})
	return msg, err
}

// behind remembers which frame is the last one before foreign messages, so that a flood of them is read once.
type behind struct {
	sequence uint64 // of the frame
	stored   time.Time
	through  uint64 // behind the frame and up to here is no other
}

// lastBefore finds the last frame when the last message is none.
func (c *Channel) lastBefore(ctx context.Context, tail uint64) (Record, bool, error) {
	rec, through, err := c.remembered(ctx)
	if err != nil {
		return Record{}, false, err
	}
	if through == 0 || through > tail {
		rec, err = c.search(ctx, tail)
	} else if through < tail {
		var newer Record
		if newer, err = c.lastIn(ctx, through+1, tail); newer.Frame != nil {
			rec = newer
		}
	}
	if err != nil {
		return Record{}, false, err
	}
	rec.Tail = tail
	if rec.Frame == nil {
		return rec, false, nil
	}
	c.behind.Store(&behind{rec.Sequence, rec.Time, tail})
	return rec, true, nil
}

// remembered returns the frame of the search before, if it is still there.
func (c *Channel) remembered(ctx context.Context) (rec Record, through uint64, err error) {
	known := c.behind.Load()
	if known == nil {
		return Record{}, 0, nil
	}
	ctx, cancel := attempt(ctx, c.broker, c.requests.get())
	defer cancel()
	msg, err := c.stream.Load().GetMsg(ctx, known.sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Record{}, 0, nil
	}
	if err != nil {
		return Record{}, 0, fmt.Errorf("stream %s: read sequence %d: %w", c.name, known.sequence, err)
	}
	if !msg.Time.Equal(known.stored) {
		return Record{}, 0, nil
	}
	rec, isFrame, err := c.record(msg.Sequence, msg.Time, msg.Header, msg.Data)
	if err != nil || !isFrame {
		return Record{}, 0, err
	}
	return rec, known.through, nil
}

// searchFirst is how many messages before the last one are looked at first.
const searchFirst = 64

// search looks for the last frame in ever larger pieces, from the end.
func (c *Channel) search(ctx context.Context, tail uint64) (Record, error) {
	first, err := c.firstSequence(ctx)
	if err != nil {
		return Record{}, err
	}
	for size, end := uint64(searchFirst), tail; ; size *= 8 {
		from := first
		if end > first+size {
			from = end - size
		}
		rec, err := c.lastIn(ctx, from, end)
		if err != nil || rec.Frame != nil || from == first {
			return rec, err
		}
		end = from - 1
	}
}

func (c *Channel) firstSequence(ctx context.Context) (uint64, error) {
	ctx, cancel := attempt(ctx, c.broker, c.requests.get())
	defer cancel()
	state, err := c.state(ctx)
	return max(state.FirstSeq, 1), err
}

// lastIn returns the last frame of a piece of the stream; without one the record is zero.
func (c *Channel) lastIn(ctx context.Context, from, to uint64) (last Record, err error) {
	s := &scan{channel: c, next: from, end: to, fn: func(rec Record) error {
		last = rec
		return nil
	}}
	return last, s.read(ctx)
}

// lastFrame is a [behind] that any goroutine may look at.
type lastFrame = atomic.Pointer[behind]
