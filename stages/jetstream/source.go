package jetstream

import (
	"context"
	"errors"
	"io"
	"time"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/stages/connector"
)

const (
	mostInCall = 512       // messages that one call emits
	bytesACall = 512 << 10 // then the call ends
	gonePeriod = 10 * time.Second
)

// Source declares a source that reads an existing stream, in the order of the stream, each message exactly once. See
// the package for what happens when messages are gone, or the stream is.
func Source(scope engine.Scope, name string, config SourceConfig, parts ...engine.Part[Place, Message]) *engine.Stream[Message] {
	return connector.Source(scope, name, func() connector.Reader[Place, Message] { return &reader{config: config} }, parts...).
		WithCodec(messageCodec)
}

// AboutSource says what a source promises, and what can be set.
func AboutSource() connector.About { return (&reader{}).About() }

// reader is the source between two stops.
type reader struct {
	config SourceConfig
	server *server
	feed   *feed
	next   uint64    // the place that the feed goes on from
	gone   time.Time // since when the stream is missing
}

var _ connector.Reader[Place, Message] = (*reader)(nil)

func (r *reader) About() connector.About {
	return connector.About{
		Name:      "jetstream source",
		Guarantee: connector.ExactlyOnce,
		Says: "The place is committed with what was made of the messages. Messages that are gone before they were read stop the pipeline, or are counted (AllowGaps). " +
			"With Subjects, single messages that were deleted are not noticed.",
		Place:    "the sequence in the stream, and the time when the stream was made",
		Settings: connector.Settings(r.config),
	}
}

// Open connects. It is called at each start.
func (r *reader) Open(ctx context.Context) (err error) {
	if err := r.config.complete(); err != nil {
		return engine.Fatal(err)
	}
	r.server, err = connect(ctx, r.config.NATS, r.config.Stream, readRights(r.config.Stream))
	return err
}

// Close ends the connection.
func (r *reader) Close() error {
	r.leave()
	if r.server != nil {
		r.server.Close()
		r.server = nil
	}
	return nil
}

func (r *reader) leave() {
	if r.feed != nil {
		r.feed.close()
		r.feed = nil
	}
}

func (r *reader) filtered() bool { return len(r.config.Subjects) > 0 }

// Read emits the messages that are there, or waits for a message.
func (r *reader) Read(ctx context.Context, place *Place, emit engine.Emit[Message]) error {
	if err := r.server.away(); err != nil {
		r.leave()
		return err
	}
	if r.feed == nil || r.next != place.Next {
		r.leave()
		return r.join(ctx, place) // the place is committed before something is read there
	}
	if place.isAtEnd() {
		return io.EOF
	}
	batch, err := r.take(ctx)
	for errors.Is(err, errIdle) {
		if moved, err := r.settle(ctx, place); moved || err != nil {
			return err
		}
		batch, err = r.take(ctx)
	}
	switch {
	case errors.Is(err, errFeed), errors.Is(err, broker.ErrDisconnected):
		r.leave()
		if away := r.server.away(); away != nil {
			return away
		}
		return r.join(ctx, place)
	case err != nil:
		return err
	}
	if err := r.pass(ctx, place, batch, emit); err != nil {
		r.leave()
		return err
	}
	r.next = place.Next
	if place.isAtEnd() {
		return io.EOF
	}
	return nil
}

// isAtEnd says that the source has an end and has read it.
func (p *Place) isAtEnd() bool { return p.End > 0 && p.Next > p.End }

// take waits for a message, and returns it with those that are there already.
func (r *reader) take(ctx context.Context) ([]stored, error) {
	first, err := r.feed.next(ctx)
	if err != nil {
		return nil, err
	}
	batch, bytes := []stored{first}, len(first.Data)
	for len(batch) < mostInCall && bytes < bytesACall {
		m, found, err := r.feed.ready()
		if !found || err != nil { // the next call meets the error again, or makes another feed
			break
		}
		batch = append(batch, m)
		bytes += len(m.Data)
	}
	return batch, nil
}

// pass emits messages and moves the place behind them.
func (r *reader) pass(ctx context.Context, place *Place, batch []stored, emit engine.Emit[Message]) error {
	if err := r.checkGaps(ctx, place, batch); err != nil {
		return err
	}
	for _, m := range batch {
		if m.sequence < place.Next { // it was read before, and shows whether the stream is still the same
			if err := r.compare(ctx, place, m); err != nil {
				return err
			}
			continue
		}
		if place.End > 0 && m.sequence > place.End {
			place.Next = place.End + 1
			return nil
		}
		emit(Message{Subject: m.Subject, Header: m.Header, Data: m.Data, Sequence: m.sequence, Time: m.time}, engine.WithTime(m.time))
		place.Next, place.Read = m.sequence+1, m.time
	}
	if last := batch[len(batch)-1]; last.pending == 0 && place.Next <= place.End {
		place.Next, place.Read = place.End+1, time.Time{} // nothing is left
	}
	return nil
}

func (r *reader) compare(ctx context.Context, place *Place, m stored) error {
	if m.sequence != place.Next-1 || place.Read.IsZero() || place.Read.Equal(m.time) {
		return nil
	}
	said, err := place.reused(m, r.config.AllowGaps)
	if said != nil {
		engine.Logger(ctx).Warn("going on in a stream that has lost its end", "error", said)
	}
	return err
}
