package channel

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"penstock/engine/broker"
	"penstock/engine/frame"
	"penstock/internal/counted"
)

const (
	ackWait       = time.Hour
	consumerStays = 12 * time.Hour // unused, before the server removes it
)

// consumerConfig keeps the consumer in memory: its state is a hint, so there is nothing to recover, and on disk the
// server would write it (and sync it, with Sync 0) some ten times a second. Throughput is the same either way.
// Acknowledgements are not limited: they must not be able to stop a reader.
func (r *Reader) consumerConfig(start uint64) jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		Durable:           r.cfg.Name,
		Description:       "the position is kept by penstock; safe to delete",
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		AckPolicy:         jetstream.AckAllPolicy,
		AckWait:           ackWait,
		MaxDeliver:        -1,
		MaxAckPending:     -1,
		FilterSubject:     r.channel.subject,
		InactiveThreshold: consumerStays,
		MemoryStorage:     true,
	}
	if start > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, start
	}
	return cfg
}

// connect brings a feed about, however long it takes; only a refusal is returned.
func (r *Reader) connect(ctx context.Context) (*feed, error) {
	for {
		if err := r.channel.broker.WaitConnected(ctx); err != nil {
			return nil, err
		}
		r.forgetReconnect()
		f, err := r.tryConnect(ctx)
		if err == nil {
			return f, nil
		}
		if refuses(err) || ctx.Err() != nil {
			return nil, err
		}
		r.episode.failed(r, err)
		if err := pause(ctx, r.episode.next()); err != nil {
			return nil, err
		}
	}
}

// refuses tells whether a reader must give up.
func refuses(err error) bool {
	for _, refusal := range []error{ErrGap, ErrAhead, ErrCorruptFrame, ErrKey, frame.ErrNewerVersion, ErrStreamLost, broker.ErrClosed} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

func (r *Reader) tryConnect(ctx context.Context) (*feed, error) {
	s := &jetstreamSource{reader: r}
	if err := r.join(ctx, s); err != nil {
		return nil, err
	}
	return s.feed, nil
}

// join begins to read at the position, wherever that is now.
func (r *Reader) join(ctx context.Context, s source) error {
	e, err := s.ends(ctx)
	if err != nil {
		return err
	}
	if err := r.checkLast(e.rec, e.found); err != nil {
		return err
	}
	start := r.start(e.first, e.last)
	pending, err := s.consume(ctx, start)
	if err != nil {
		return err
	}
	if start > 0 && pending == 0 && !r.confirmed {
		s.leave()
		r.fromStart = true
		return r.join(ctx, s)
	}
	r.whole, r.fromStart = start == 0, false
	return nil
}

// start returns the sequence to read from, 0 for everything there is. It is one frame too early on purpose: that frame
// shows whether the hint is of this stream.
func (r *Reader) start(first, last uint64) uint64 {
	start := r.seen
	if start == 0 && r.cfg.Position.Sequence > 1 {
		start = r.cfg.Position.Sequence - 1
	}
	if r.fromStart || start > last || start <= first {
		if start > last || r.fromStart {
			r.forget()
		}
		return 0
	}
	return start
}

// forget takes back what is known about sequences; offsets stay.
func (r *Reader) forget() {
	r.seen, r.seenCommit, r.passed, r.taken, r.marks = 0, commitID{}, 0, 0, marks{}
}

// checkEnd compares the position with the channel's last frame.
func (r *Reader) checkEnd(ctx context.Context) error {
	rec, found, err := r.source.last(ctx)
	if err != nil {
		return err
	}
	return r.checkLast(rec, found)
}

func (r *Reader) checkLast(rec Record, found bool) error {
	if !found {
		if r.end() > 0 {
			return r.aheadError(0, 0)
		}
		return nil
	}
	if s := r.section(rec.Frame); s != nil && s.Next() < r.end() {
		return r.aheadError(s.Next(), rec.Sequence)
	}
	return nil
}

// end is the offset behind all that the reader has taken, also before it began.
func (r *Reader) end() uint64 { return max(r.expected, r.cfg.Position.End) }

// checkConsumer looks for what a quiet consumer does not tell: that another client edited, paused or drained it.
func (r *Reader) checkConsumer(ctx context.Context, f *feed) error {
	info, err := r.consumerInfo(ctx, f)
	switch {
	case err != nil || info == nil:
		return err
	case info.NumPending > 0 && f.owed:
		return fmt.Errorf("%w: it withheld %s", errFeed, counted.Things(info.NumPending, "frame"))
	case info.NumPending > 0: // they may have come since the request ran out
		f.owed = true
		return nil
	case info.Delivered.Consumer > f.consumed:
		return fmt.Errorf("%w: it gave a message to another client", errFeed)
	}
	return nil
}

// checkEdited looks for what a consumer that still gives something does not tell: that another client edited it so that
// it gives little.
func (r *Reader) checkEdited(ctx context.Context, f *feed) error {
	_, err := r.consumerInfo(ctx, f)
	return err
}

// consumerInfo is what the server says about the consumer; nil when it does not answer. One that is gone, or not as it
// was made, is an error.
func (r *Reader) consumerInfo(ctx context.Context, f *feed) (*jetstream.ConsumerInfo, error) {
	var consumer jetstream.Consumer
	err := r.channel.once(ctx, func(ctx context.Context) (err error) {
		consumer, err = r.channel.broker.JetStream().Consumer(ctx, r.channel.name, r.cfg.Name)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, r.channel.lostError()
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		return nil, fmt.Errorf("%w: it was gone", errFeed)
	case err != nil:
		return nil, nil // no answer is no finding
	}
	info := consumer.CachedInfo()
	if info.Paused || !reflect.DeepEqual(info.Config, f.config) {
		return nil, fmt.Errorf("%w: it was edited", errFeed)
	}
	return info, nil
}
