package channel

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Source stands in for the server of a [Manual] reader.
type Source interface {
	// Last is the writer's last frame.
	Last(ctx context.Context) (rec Record, found bool, err error)
	// Bounds are the first and the last sequence that are stored; first > last: none.
	Bounds(ctx context.Context) (first, last uint64, err error)
	// Consume begins to deliver from a sequence on, 0 for everything, and tells how many frames wait.
	Consume(ctx context.Context, start uint64) (pending uint64, err error)
}

// Manual is a [Reader] without a server and without goroutines: its owner hands it the frames, and takes what it would
// deliver. It decides everything a Reader decides about a frame. The simulation of the protocol reads with it. Not safe
// for concurrent use, but for Ack of its Reader.
type Manual struct{ Reader *Reader }

// NewManual returns one that has not joined.
func NewManual(spec Spec, from Source, cfg ReaderConfig) (*Manual, error) {
	c, err := newChannel(nil, spec)
	if err != nil {
		return nil, err
	}
	r := c.Reader(cfg)
	r.source = manualSource{from}
	return &Manual{r}, nil
}

type manualSource struct{ Source }

func (s manualSource) last(ctx context.Context) (Record, bool, error) { return s.Last(ctx) }

func (s manualSource) ends(ctx context.Context) (e ends, err error) {
	if e.rec, e.found, err = s.Last(ctx); err == nil {
		e.first, e.last, err = s.Bounds(ctx)
	}
	return e, err
}

func (s manualSource) consume(ctx context.Context, start uint64) (uint64, error) {
	return s.Consume(ctx, start)
}

// next knows of nothing that was passed over.
func (s manualSource) next(context.Context, uint64) (uint64, bool, error) { return 0, false, nil }

func (s manualSource) leave() {}

// Join begins to read at the position, or goes on after the server was away.
func (m *Manual) Join(ctx context.Context) error {
	m.Reader.marks.orphan()
	return m.Reader.join(ctx, m.Reader.source)
}

// Look is told of a message, whether it is marked as a commit, and how many the server has behind it. When it says
// again, Join has to follow. An error is why the reader cannot go on.
func (m *Manual) Look(ctx context.Context, sequence, pending uint64, marked bool, data []byte) (again bool, err error) {
	header := nats.Header{}
	if marked {
		header[jetstream.ExpectedLastSubjSeqHeader] = []string{"0"}
	}
	err = m.Reader.look(ctx, &item{msg: &nats.Msg{Data: data, Header: header}, sequence: sequence, pending: pending})
	if errors.Is(err, errHint) {
		return true, nil
	}
	return false, err
}

// Peek returns what is to be delivered next, and Pop takes it.
func (m *Manual) Peek() (Delivery, bool) {
	if len(m.Reader.queue) == 0 {
		return Delivery{}, false
	}
	return m.Reader.queue[0], true
}

// Pop takes what Peek returned.
func (m *Manual) Pop() { m.Reader.pop() }
