package channel

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// source is where a reader's frames come from, as far as it asks for something. What it delivers goes to look.
type source interface {
	// last is the writer's last frame.
	last(ctx context.Context) (rec Record, found bool, err error)
	// ends are the writer's last frame and the sequences that are stored, asked for side by side.
	ends(ctx context.Context) (ends, error)
	// consume begins to deliver from a sequence on, 0 for everything, and tells how many frames wait.
	consume(ctx context.Context, start uint64) (pending uint64, err error)
	// next is the writer's first stored frame from a sequence on. It is asked when frames seem to be missing.
	next(ctx context.Context, from uint64) (sequence uint64, found bool, err error)
	// leave takes consume back.
	leave()
}

// ends are where a channel begins and ends.
type ends struct {
	rec         Record // the writer's last frame
	found       bool
	first, last uint64 // sequences that are stored
}

var (
	_ source = (*jetstreamSource)(nil)
	_ source = manualSource{}
)

// jetstreamSource makes one attempt at each.
type jetstreamSource struct {
	reader *Reader
	feed   *feed
}

func (s *jetstreamSource) last(ctx context.Context) (Record, bool, error) {
	return s.reader.channel.last(ctx)
}

// ends asks for both at once: neither needs the other, and a leader that is away would hold up each.
func (s *jetstreamSource) ends(ctx context.Context) (e ends, err error) {
	var bounds sync.WaitGroup
	var boundsErr error
	bounds.Go(func() { e.first, e.last, boundsErr = s.bounds(ctx) })
	e.rec, e.found, err = s.last(ctx)
	bounds.Wait()
	if err == nil {
		err = boundsErr
	}
	return e, err
}

func (s *jetstreamSource) bounds(ctx context.Context) (first, last uint64, err error) {
	var state jetstream.StreamState
	err = s.reader.channel.once(ctx, func(ctx context.Context) error {
		state, err = s.reader.channel.state(ctx)
		return err
	})
	return state.FirstSeq, state.LastSeq, err
}

func (s *jetstreamSource) consume(ctx context.Context, start uint64) (pending uint64, err error) {
	r := s.reader
	s.feed, err = openFeed(ctx, r.channel, r.consumerConfig(start), r.cfg.Prefetch, r.cfg.PrefetchBytes)
	if err != nil {
		return 0, err
	}
	return s.feed.pending, nil
}

func (s *jetstreamSource) next(ctx context.Context, from uint64) (uint64, bool, error) {
	c := s.reader.channel
	var stored *jetstream.RawStreamMsg
	err := c.once(ctx, func(ctx context.Context) (err error) {
		stored, err = c.stream.Load().GetMsg(ctx, from, jetstream.WithGetMsgSubject(c.subject))
		return err
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return stored.Sequence, true, nil
}

func (s *jetstreamSource) leave() { s.feed.close() }
