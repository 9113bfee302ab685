package task

import (
	"context"

	"golang.org/x/sync/semaphore"

	"penstock/engine/channel"
	"penstock/engine/internal/waits"
)

// An input holds at most this much of what was read ahead.
const (
	aheadBytes    = 8 << 20
	aheadPerFrame = 16 << 10 // what a small frame counts, which bounds their number
	keptBytes     = 64 << 20 // more, in frames that are left and hold a message that waits
)

// readAhead is the room that an input has for frames before they are used up.
// One frame of any size fits when there is no other. Safe for concurrent use.
type readAhead struct {
	room     *semaphore.Weighted
	bytes    int64
	perFrame int64      // what a small frame counts
	Waits    *waits.Set // of the input
}

func NewReadAhead(bytes, perFrame int64, w *waits.Set) *readAhead {
	return &readAhead{room: semaphore.NewWeighted(bytes), bytes: bytes, perFrame: perFrame, Waits: w}
}

func (a *readAhead) weight(d channel.Delivery) int64 {
	return min(max(int64(d.Size), a.perFrame), a.bytes)
}

// TryAcquire takes the room for a frame, if there is so much.
func (a *readAhead) TryAcquire(d channel.Delivery) bool { return a.room.TryAcquire(a.weight(d)) }

// acquire takes the room for a frame, and waits for it.
func (a *readAhead) acquire(ctx context.Context, d channel.Delivery) error {
	if a.TryAcquire(d) {
		return nil
	}
	a.Waits.Begin(waits.ReadAhead, "the prefetched frames before the next one are not consumed yet")
	defer a.Waits.End(waits.ReadAhead)
	return a.room.Acquire(ctx, a.weight(d))
}

func (a *readAhead) Release(d channel.Delivery) { a.room.Release(a.weight(d)) }
