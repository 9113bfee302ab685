package engine

import (
	"sync/atomic"
	"testing"

	"golang.org/x/sync/semaphore"

	"penstock/engine/channel"
)

// The frame that tells of the producer's end is let go once a commit is past
// it. A fault after that must not make the stage wait for it for ever.
func TestEndOfAnInputOutlivesARollback(t *testing.T) {
	t.Parallel()
	i := &input{definition: &inputDefinition{}, ahead: semaphore.NewWeighted(aheadBytes), reader: &channel.Reader{}, taken: new(atomic.Uint64)}
	end := channel.Delivery{Sequence: 5, Ended: true}
	if !i.ahead.TryAcquire(weight(end)) {
		t.Fatal("no room")
	}
	i.queue = append(i.queue, delivered{Delivery: end})
	if i.peek() || !i.exhausted() {
		t.Fatal("the end was not seen")
	}
	i.rewind()
	if i.exhausted() {
		t.Error("exhausted before the end was seen again")
	}
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
