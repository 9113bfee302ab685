package engine

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/rule"
)

// An input holds at most this much of what was read ahead.
const (
	aheadBytes    = 8 << 20
	aheadPerFrame = 16 << 10 // what a small frame counts, which bounds their number
)

// input is one stream as read by one instance: the frames that were peeked,
// and a cursor through their messages. Frames stay in the queue until the
// commit that consumed them is settled, so that the cursor can go back.
type input struct {
	definition *inputDefinition
	producer   *instance
	reader     *channel.Reader
	ahead      *semaphore.Weighted

	queue   []channel.Delivery
	frame   int // in queue, under the cursor
	loaded  bool
	it      frame.Iterator
	head    peeked
	hasHead bool
	next    uint64 // offset under the cursor
	after   uint64 // sequence to look at when the queue is used up
	ended   bool   // the producer's last message is behind the cursor

	committed frame.Position
	endTaken  bool           // the producer's end is behind the committed position
	taken     *atomic.Uint64 // committed.Offset, for the producer

	held    bool      // the head was answered with Hold
	until   time.Time // the head was answered with Snooze
	alone   bool      // the message at aloneAt must be the only one in its commit
	aloneAt uint64

	// A batch from suspect to below cleared failed: its messages come one by one.
	suspect, cleared uint64
}

// peeked is a message that was read and not taken.
type peeked struct {
	input   *input
	message frame.Message
	offset  uint64
	attempt int
}

// forward hands what the reader delivers to the instance's loop, as far as
// there is room ahead.
func (i *input) forward(ctx context.Context, to chan<- arrival) {
	for d := range i.reader.Deliveries() {
		if i.ahead.Acquire(ctx, weight(d)) != nil {
			return
		}
		select {
		case to <- arrival{i, d}:
		case <-ctx.Done():
			return
		}
	}
}

type arrival struct {
	input    *input
	delivery channel.Delivery
}

func weight(d channel.Delivery) int64 {
	return int64(min(max(d.Size, aheadPerFrame), aheadBytes))
}

// peek sees to it that the head is the message under the cursor; false when
// nothing has arrived.
func (i *input) peek() bool {
	if i.hasHead {
		return true
	}
	for {
		if i.loaded {
			if m, ok := i.it.Next(); ok {
				i.head.message, i.head.offset, i.head.attempt = m, i.next, 1
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

// load puts the cursor into the frame it stands before.
func (i *input) load() {
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

// leave moves the cursor behind its frame, all of whose messages are taken.
func (i *input) leave() {
	d := &i.queue[i.frame]
	i.after = d.Sequence + 1
	i.ended = i.ended || d.Ended
	i.frame++
	i.loaded = false
}

// take moves the cursor behind the head.
func (i *input) take() {
	i.next++
	i.hasHead, i.held, i.until = false, false, time.Time{}
	i.alone = i.alone && i.aloneAt >= i.next
}

// position is what a commit of now says about this input.
func (i *input) position() frame.Position {
	p := frame.Position{Stream: i.committed.Stream, Instance: i.committed.Instance, Offset: i.next, Sequence: i.after}
	if i.frame < len(i.queue) {
		p.Sequence = i.queue[i.frame].Sequence
	}
	return p
}

// settle takes a committed position: frames before it are done with.
func (i *input) settle(p frame.Position) {
	i.committed = p
	i.taken.Store(p.Offset)
	var last *channel.Delivery
	n := 0
	for n < i.frame && i.queue[n].Sequence < p.Sequence {
		last = &i.queue[n]
		i.endTaken = i.endTaken || last.Ended
		i.ahead.Release(weight(*last))
		n++
	}
	if last != nil {
		i.reader.Ack(*last)
	}
	i.queue = append(i.queue[:0], i.queue[n:]...)
	i.frame -= n
}

// rewind puts the cursor back to the committed position. A head that stays
// the head goes on waiting.
func (i *input) rewind() {
	if i.next != i.committed.Offset {
		i.held, i.until = false, time.Time{}
	}
	i.frame, i.loaded, i.hasHead = 0, false, false
	i.next, i.after = i.committed.Offset, i.committed.Sequence
	i.ended = i.endTaken
}

// waits says whether the head must wait, and until when if that is known.
func (i *input) waits(now time.Time) bool {
	return i.held || now.Before(i.until)
}

// exhausted says whether everything the producer will ever send is behind the
// cursor. It must follow a peek that found nothing.
func (i *input) exhausted() bool { return i.ended && !i.hasHead }

// caughtUp says whether everything the producer committed so far is behind
// the cursor.
func (i *input) caughtUp() bool { return !i.hasHead && i.next >= i.written() }

// written is the next offset that the producer has not committed.
func (i *input) written() uint64 { return i.producer.nextOf(i.definition.stream) }
