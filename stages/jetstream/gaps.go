package jetstream

import (
	"context"
	"fmt"
	"time"

	"penstock/engine"
)

// checkGaps looks for messages that are gone between those that came.
func (r *reader) checkGaps(ctx context.Context, place *Place, batch []stored) error {
	at := *place
	for _, m := range batch {
		if m.sequence > at.Next {
			first := m.sequence
			if r.filtered() {
				now, err := r.look(ctx, place)
				if err != nil {
					return err
				}
				if first = min(now.FirstSeq, m.sequence); first <= at.Next {
					return nil // and so it is for those that follow: they were there when these were sent
				}
			}
			if err := r.meet(ctx, at.gap(first-1, r.filtered(), "by a limit of the stream, a purge or a deletion"), first-at.Next); err != nil {
				return err
			}
		}
		at.Next = max(at.Next, m.sequence+1)
	}
	return nil
}

// meet refuses a gap, or logs and counts it.
func (r *reader) meet(ctx context.Context, gap error, messages uint64) error {
	if !r.config.AllowGaps {
		return engine.Fatal(fmt.Errorf("%w: %s, or start from the beginning (a fresh run)", gap, allowGaps))
	}
	engine.Logger(ctx).Warn("going on behind messages that are gone", "error", gap)
	if !r.filtered() {
		engine.CountDropped(ctx, messages)
	}
	return nil
}

// settle moves the place of a source with subjects behind messages of others, when none of its own is left: the
// stream may drop those, which is no gap then.
func (r *reader) settle(ctx context.Context, place *Place) (moved bool, err error) {
	if !r.filtered() || r.feed.behind > 0 {
		return false, nil
	}
	before, err := r.look(ctx, place)
	if err != nil || before.LastSeq < place.Next {
		return false, err
	}
	if unread, err := r.feed.unread(ctx); err != nil || unread > 0 {
		return false, nil // a feed that does not work shows in what it delivers
	}
	place.Next, place.Read = before.LastSeq+1, time.Time{}
	r.next = place.Next
	return true, nil
}
