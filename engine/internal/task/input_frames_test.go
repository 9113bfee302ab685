package task

import (
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/waits"
)

func testInput() *Input {
	return &Input{
		Edge: Edge{Edge: plan.Edge{Input: &plan.Input{}}}, Ahead: NewReadAhead(aheadBytes, aheadPerFrame, &waits.Set{}), Reader: &channel.Reader{}, taken: new(atomic.Uint64),
	}
}

// arrives queues a frame if there is room for it, as forward does.
func (i *Input) arrives(sequence, base uint64, messages, size int, ended bool) bool {
	d := channel.Delivery{Sequence: sequence, Size: size, Ended: ended}
	d.Section.Reset(base)
	for range messages {
		d.Section.Append(frame.Message{Value: []byte("x")})
	}
	if !i.Ahead.TryAcquire(d) {
		return false
	}
	i.queue = append(i.queue, delivered{Delivery: d})
	return true
}

// A commit goes out after the last message of a frame is taken and before the
// next one is asked for, of which there is none: no other commit follows.
func TestFrameIsLetGoByTheCommitThatCoversIt(t *testing.T) {
	t.Parallel()
	i := testInput()
	for n := range uint64(3) {
		if !i.arrives(1+n, n, 1, 8_300_000, false) {
			t.Fatalf("frame %d finds no room, though all that came before is committed", n)
		}
		if !i.peek() {
			t.Fatal("no message")
		}
		i.take()
		i.settle(i.position())
		if i.peek() {
			t.Fatal("one message too many")
		}
	}
}

// The cursor goes back to a message that waited, and passes frames behind it
// that were consumed before: no commit follows.
func TestFrameThatWasConsumedBeforeIsLetGoWhenItIsPassed(t *testing.T) {
	t.Parallel()
	i := testInput()
	i.settle(frame.Position{Offset: 0, Sequence: 1, Waiting: []uint64{0}, Reached: 4})
	i.rewind()
	i.arrives(1, 0, 1, 16, false)
	if !i.peek() {
		t.Fatal("no message")
	}
	i.overtake(waiting{key: "a"})
	for n := range uint64(3) {
		if !i.arrives(2+n, 1+n, 1, 8_300_000-aheadPerFrame, false) {
			t.Fatalf("frame %d finds no room, though those before it are consumed", n)
		}
		if i.peek() {
			t.Fatalf("offset %d comes again", i.head.Offset)
		}
	}
}

// The first message of a frame waits, the frame behind it is consumed and let
// go, and the stage goes back. After the message that waited only the producer's
// end comes, which has no message: that must be enough to be at the end.
func TestInputIsAtItsEndBehindAFrameThatWasLetGo(t *testing.T) {
	t.Parallel()
	i := testInput()
	i.Input.Stream = &plan.Stream{}
	producer := &Instance{Definition: &plan.Stage{Output: i.Input.Stream}, Progress: progress{next: make([]atomic.Uint64, 1)}}
	producer.Progress.next[0].Store(2)
	producer.Phase.opened(true)
	i.Producer = producer
	i.arrives(1, 0, 1, 16, false)
	i.arrives(2, 1, 1, 16, false)
	if !i.peek() {
		t.Fatal("no message")
	}
	i.overtake(waiting{key: "a"})
	if !i.peek() {
		t.Fatal("no second message")
	}
	i.take()
	i.settle(i.position())
	if len(i.queue) != 1 {
		t.Fatalf("%d frames are kept, want the one that waits", len(i.queue))
	}
	i.arrives(3, 2, 0, 16, true)
	i.rewind()
	if !i.peek() || i.head.Offset != 0 || i.exhausted() || i.caughtUp() {
		t.Fatal("the message that waited does not come again")
	}
	i.take()
	if i.peek() {
		t.Fatalf("offset %d comes again", i.head.Offset)
	}
	if !i.caughtUp() || !i.exhausted() {
		t.Error("everything is consumed, and the stage waits for more")
	}
	i.settle(i.position())
	if p := i.Committed; p.Offset != 2 || len(p.Waiting) > 0 {
		t.Errorf("the position is %+v", p)
	}
}

// A producer's end, in a large frame that has nothing for this reader.
func TestEndIsLetGoWhenItIsPassed(t *testing.T) {
	t.Parallel()
	i := testInput()
	for n := range uint64(3) {
		if !i.arrives(1+n, 0, 0, 8_300_000, true) {
			t.Fatalf("end %d finds no room", n)
		}
		if i.peek() {
			t.Fatal("a message")
		}
	}
}

// Whatever comes in whatever order: when everything that arrived is taken and
// committed, all room ahead is free, and no message was missed or came twice.
func TestRoomAheadIsFreeWhenAllIsCommitted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := testInput()
		var sequence, written uint64
		handled := map[uint64]int{}
		pending := map[uint64]int{}
		commit := func() {
			i.settle(i.position())
			for offset := range pending {
				handled[offset]++
			}
			clear(pending)
		}
		take := func() {
			pending[i.head.Offset]++
			i.take()
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0, 1:
				n := rapid.IntRange(0, 3).Draw(t, "messages")
				if i.arrives(sequence+1, written, n, rapid.IntRange(1, 9<<20).Draw(t, "size"), n == 0 || rapid.Bool().Draw(t, "ended")) {
					sequence, written = sequence+1, written+uint64(n)
				}
			case 2, 3:
				if i.peek() {
					take()
				}
			case 4:
				if i.peek() && len(i.waiting) < 3 {
					i.overtake(waiting{key: "a"})
				}
			case 5:
				commit()
			case 6:
				i.rewind()
				clear(pending)
			}
		}
		for i.next < written && i.peek() {
			take()
		}
		for len(i.waiting) > 0 {
			i.pick(0)
			take()
		}
		if rapid.Bool().Draw(t, "committed before the cursor looks further") {
			commit()
			i.peek()
		} else {
			i.peek()
			commit()
		}
		if !i.Ahead.room.TryAcquire(aheadBytes) || i.kept != 0 || len(i.queue) != 0 {
			t.Fatalf("%d frames are kept, %d bytes of them aside", len(i.queue), i.kept)
		}
		if next := i.unconsumed(); next != written {
			t.Fatalf("%d of %d messages are behind the cursor", next, written)
		}
		for offset := range written {
			if handled[offset] != 1 {
				t.Fatalf("offset %d was handled %d times", offset, handled[offset])
			}
		}
	})
}
