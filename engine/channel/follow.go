package channel

import (
	"context"
	"fmt"
)

// Feed stands in for the server of a reader that follows it by itself: see [Follow].
type Feed interface {
	Source
	// Next is the next message to deliver, from where Consume began. If there is none yet, changed is closed when there
	// may be.
	Next() (m FeedMessage, found bool, changed <-chan struct{})
}

// FeedMessage is what a feed delivers.
type FeedMessage struct {
	Sequence uint64
	Pending  uint64 // so many messages are behind it
	IsCommit bool   // false: another client has published it
	Data     []byte
}

// Follow returns a [Reader] without a server. It decides everything about a frame that any Reader decides. A pipeline
// that runs in memory reads with it. The names of spec have to be good.
func Follow(spec Spec, from Feed, cfg ReaderConfig) *Reader {
	m, err := NewManual(spec, from, cfg)
	if err != nil {
		panic(err)
	}
	m.Reader.feed = from
	return m.Reader
}

// follow is Run of a reader with a feed.
func (r *Reader) follow(ctx context.Context) error {
	m := Manual{r}
	joined := false
	for {
		var changed <-chan struct{}
		for len(r.queue) < r.cfg.Prefetch && r.queued < r.cfg.PrefetchBytes && changed == nil {
			var again bool
			var err error
			if joined {
				again, changed, err = r.next(ctx, m)
			} else {
				err = m.Join(ctx)
			}
			if err != nil {
				r.handOver(ctx)
				return fmt.Errorf("consumer %s: %w", r.cfg.Name, err)
			}
			joined = !again
		}
		var out chan<- Delivery
		var head Delivery
		if len(r.queue) > 0 {
			out, head = r.out, r.queue[0]
		}
		select {
		case out <- head:
			r.pop()
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// next looks at the next message of the feed. Again says that the reader has to join anew.
func (r *Reader) next(ctx context.Context, m Manual) (again bool, changed <-chan struct{}, err error) {
	msg, found, changed := r.feed.Next()
	if !found {
		return false, changed, nil
	}
	again, err = m.Look(ctx, msg.Sequence, msg.Pending, msg.IsCommit, msg.Data)
	return again, nil, err
}
