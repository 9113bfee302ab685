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

// Last returns the instance's last commit, as the stream's leader has it, whatever others have put behind it, and also
// where a seal follows it. A damaged one is [ErrCorruptFrame]. Record.Tail counts also when none is found.
func (c *Channel) Last(ctx context.Context) (rec Record, found bool, err error) {
	err = persist(ctx, c.broker, c.logger, "read the last frame of "+c.subject, func(ctx context.Context) error {
		rec, found, err = c.last(ctx)
		return err
	})
	return rec, found && err == nil, err
}

func (c *Channel) last(ctx context.Context) (Record, bool, error) {
	end, found, err := c.end(ctx)
	if err != nil || !found || end.Frame.Kind.IsCommit() {
		return end, found, err
	}
	// A claimant is about to become the owner, or was stopped before it was.
	rec, err := c.lastIn(ctx, commits, end.Frame.Claim.Seen, end.Sequence)
	if err == nil && rec.Frame == nil && end.Frame.Claim.Seen > 1 {
		rec, err = c.lastIn(ctx, commits, 1, end.Sequence)
	}
	rec.Tail = end.Tail
	return rec, rec.Frame != nil && err == nil, err
}

// End returns the instance's last commit or seal. It is for who asks who owns the instance; see Last.
func (c *Channel) End(ctx context.Context) (rec Record, found bool, err error) {
	err = persist(ctx, c.broker, c.logger, "read the last frame of "+c.subject, func(ctx context.Context) error {
		rec, found, err = c.end(ctx)
		return err
	})
	return rec, found && err == nil, err
}

func (c *Channel) end(ctx context.Context) (Record, bool, error) {
	msg, found, err := c.lastMessage(ctx, c.subject)
	if err != nil || !found {
		return Record{}, false, err
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

func (c *Channel) lastMessage(ctx context.Context, subject string) (msg *jetstream.RawStreamMsg, found bool, err error) {
	err = c.once(ctx, func(ctx context.Context) (err error) {
		msg, err = c.stream.Load().GetLastMsgForSubject(ctx, subject)
		if err != nil && errors.Is(context.Cause(ctx), broker.ErrDisconnected) {
			if reason := c.broker.Pulls().Cut(); reason != nil {
				return reason
			}
		}
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, false, nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, false, c.lostError()
	case err != nil:
		return nil, false, fmt.Errorf("stream %s: read the last message of %s: %w", c.name, subject, err)
	}
	return msg, true, nil
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
		if newer, err = c.lastIn(ctx, commitsAndSeals, through+1, tail); newer.Frame != nil {
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
		rec, err := c.lastIn(ctx, commitsAndSeals, from, end)
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
func (c *Channel) lastIn(ctx context.Context, what kinds, from, to uint64) (last Record, err error) {
	s := &scan{channel: c, what: what, next: from, end: to, fn: func(rec Record) error {
		last = rec
		return nil
	}}
	return last, s.read(ctx)
}

// lastFrame is a [behind] that any goroutine may look at.
type lastFrame = atomic.Pointer[behind]
