package task

import (
	"context"
	"sync/atomic"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/rule"
)

// Input is an edge as it is read: the frames that were peeked, and a cursor through their messages. Frames
// stay in the queue until the commit that consumed them is settled, so that the cursor can go back.
type Input struct {
	Edge
	index   int       // of the edge; -1: of replays
	from    ports.Log // the producer's channel
	Reader  *channel.Reader
	Ahead   *readAhead
	Replays *replays // of the input that dead letters come back through; it has no producer and no reader

	Committed frame.Position
	endTaken  bool           // the producer's end is behind the committed position
	taken     *atomic.Uint64 // committed.Offset, for the producer
	run       string         // identity of the run that the offsets belong to

	cursor
	foremost
	overtaken
	singled

	traced   *tracedFrame // it has a link to the frame of this sequence
	tracedAt uint64
}

// cursor is a place in the frames that were peeked.
type cursor struct {
	queue  []delivered
	frame  int // in queue, under the cursor
	loaded bool
	it     frame.Iterator
	next   uint64         // offset under the cursor
	after  uint64         // sequence to look at when the queue is used up
	ended  bool           // the producer's last message is behind the cursor
	gaps   frame.Position // where the cursor went back to
}

// foremost is the message that is to be called next: the one under the cursor, or one that was overtaken.
type foremost struct {
	head        Peeked
	hasHead     bool
	held        bool      // the head was answered with Hold
	Until       time.Time // the head was answered with Snooze
	picked      int       // the head is this one of the overtaken, counted from 1; 0: that under the cursor
	aside       Peeked    // the message under the cursor meanwhile
	asideIsHead bool
}

// singled are messages that must be the only one in their commit, or in their call.
type singled struct {
	alone   bool // the message at aloneAt must be the only one in its commit
	aloneAt uint64

	// A batch from suspect to below cleared failed: its messages come one by one.
	suspect, cleared uint64
}

// delivered is a frame in an input's queue.
type delivered struct {
	channel.Delivery
	kept bool // it does not count as read ahead
}

// Peeked is a message that was read and not taken.
type Peeked struct {
	Input   *Input
	Message frame.Message
	Offset  uint64
	Attempt int
	Replay  uint64 // sequence of the request that it comes back for; 0: a first delivery
	Past    *Past  // of a replay: the edge that it came by; nil: that of the input
}

// Taken is the lowest offset that is not committed. Safe for concurrent use.
func (i *Input) Taken() uint64 { return i.taken.Load() }

// Run is the identity of the run that the offsets belong to.
func (i *Input) Run() string { return i.run }

// forward hands what the reader delivers to the instance's loop, as far as
// there is room ahead.
func (i *Input) forward(ctx context.Context, to chan<- Arrival) {
	for d := range i.Reader.Deliveries() {
		if i.Ahead.acquire(ctx, d) != nil {
			return
		}
		select {
		case to <- Arrival{i, d}:
		case <-ctx.Done():
			return
		}
	}
}

type Arrival struct {
	Input    *Input
	Delivery channel.Delivery
}

// peek sees to it that the head is the message under the cursor; false when
// nothing has arrived.
func (i *Input) peek() bool {
	i.unpick()
	if i.hasHead {
		return true
	}
	for {
		if i.loaded {
			if m, ok := i.it.Next(); ok {
				if i.isGap() {
					i.next++
					continue
				}
				i.head.Message, i.head.Offset, i.head.Attempt = m, i.next, 1
				i.hasHead = true
				return true
			}
			i.leave()
		}
		if i.frame == len(i.queue) {
			return false
		}
		i.load()
	}
}

// isGap says whether the message under the cursor was consumed before the
// cursor went back.
func (i *Input) isGap() bool {
	return i.next < i.gaps.Reached && rule.PositionCheck && i.gaps.Consumed(i.next)
}

// load puts the cursor into the frame it stands before.
func (i *Input) load() {
	d := &i.queue[i.frame]
	i.it = d.Section.Messages()
	skip := d.Skip
	if rule.PositionCheck && i.next > d.Section.Base {
		skip = max(skip, i.next-d.Section.Base)
	}
	if d.Section.Count > 0 {
		i.it.Skip(skip)
		i.next = d.Section.Base + skip
	}
	i.loaded = true
}

// leave moves the cursor behind its frame, all of whose messages are taken. What
// is committed already, or has no message, is let go at once: no commit need
// follow.
func (i *Input) leave() {
	d := &i.queue[i.frame]
	i.after = d.Sequence + 1
	i.ended = i.ended || d.Ended
	i.frame++
	i.loaded = false
	i.letGo(i.frame - 1)
}

// take takes the head.
func (i *Input) take() {
	if i.picked > 0 {
		i.takePicked()
		return
	}
	i.advance()
}

// advance moves the cursor behind the message under it, and behind its frame
// when that was the last one: a commit from now on covers it all.
func (i *Input) advance() {
	i.next++
	i.hasHead, i.held, i.Until = false, false, time.Time{}
	i.alone = i.alone && i.aloneAt >= i.next
	if i.loaded && i.next == i.queue[i.frame].Section.Next() {
		i.leave()
	}
}

// position is what a commit of now says about this input.
func (i *Input) position() frame.Position {
	p := frame.Position{Stream: i.Committed.Stream, Instance: i.Committed.Instance, Offset: i.next, Sequence: i.after}
	if i.frame < len(i.queue) {
		p.Sequence = i.queue[i.frame].Sequence
	}
	if len(i.waiting) > 0 || i.next < i.gaps.Reached {
		i.addWaiting(&p)
	}
	return p
}

// settle takes a committed position, and lets go what it covers.
func (i *Input) settle(p frame.Position) {
	i.Committed = p
	i.taken.Store(p.Offset)
	if i.Replays != nil {
		i.Replays.settle(p.Offset)
	}
	i.letGo(0)
}

// rewind puts the cursor back to the committed position. A head that stays
// the head goes on waiting.
func (i *Input) rewind() {
	if i.next != i.Committed.Offset {
		i.held, i.Until = false, time.Time{}
	}
	i.unpick()
	i.waiting, i.waitingKeys, i.nextDue = nil, nil, time.Time{}
	i.frame, i.loaded, i.hasHead = 0, false, false
	i.next, i.after, i.gaps = i.Committed.Offset, i.Committed.Sequence, i.Committed
	i.ended = i.endTaken
}

// waits says whether the head must wait, and until when if that is known.
func (i *Input) waits(now time.Time) bool {
	return i.held || now.Before(i.Until)
}

// exhausted says whether everything the producer will ever send is behind the
// cursor. It must follow a peek that found nothing.
func (i *Input) exhausted() bool {
	switch {
	case i.hasHead || len(i.waiting) > 0:
		return false
	case i.Replays != nil:
		return i.Replays.isIdle() && i.frame == len(i.queue)
	case i.Producer != nil && !(i.Producer.hasEnded() && i.caughtUp()):
		return false // it was started again for a dead letter
	}
	return i.ended
}

// caughtUp says whether everything the producer committed so far is behind
// the cursor.
func (i *Input) caughtUp() bool { return !i.hasHead && i.unconsumed() >= i.written() }
