package task

import (
	"testing"

	"penstock/engine/channel"
)

// The frame that tells of the producer's end is let go once the cursor is behind
// it. A fault after that must not make the stage wait for it for ever.
func TestEndOfAnInputOutlivesARollback(t *testing.T) {
	t.Parallel()
	i := testInput()
	end := channel.Delivery{Sequence: 5, Ended: true}
	if !i.Ahead.TryAcquire(end) {
		t.Fatal("no room")
	}
	i.queue = append(i.queue, delivered{Delivery: end})
	if i.peek() || !i.exhausted() {
		t.Fatal("the end was not seen")
	}
	i.rewind()
	if i.peek() || !i.exhausted() {
		t.Error("the end was not seen after a rollback")
	}
	i.settle(i.position())
	if len(i.queue) != 0 {
		t.Fatalf("%d frames are kept", len(i.queue))
	}
	i.rewind()
	if i.peek() || !i.exhausted() {
		t.Error("the end is forgotten after a rollback")
	}
}
