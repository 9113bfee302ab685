package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/stages"
	"penstock/stages/connector"
)

// Sink declares a sink that publishes each value of a stream as one message. message makes it; its error rejects the
// value, which becomes a dead letter. SinkConfig.Mode says how messages that come again are recognised.
func Sink[T any](scope engine.Scope, name string, in *engine.Stream[T], config SinkConfig, message func(T) (Message, error), parts ...engine.Part[Sent, engine.None]) {
	connector.Sink(scope, name, in, func() connector.Writer[Sent, T] { return &writer[T]{publisher{config: config}, message} }, parts...)
}

// AboutSink says what a sink promises in a mode, and what can be set.
func AboutSink(m Mode) connector.About { return (&publisher{config: SinkConfig{Mode: m}}).About() }

// Sent is what a sink knows of its stream: its committed state.
type Sent struct {
	Created   time.Time        `json:"created,omitzero"` // of the stream
	Last      uint64           `json:"last"`             // sequence of its end, as the sink has left it
	Positions stages.Positions `json:"positions"`        // of the messages up to there
}

// writer is the sink of values of a type between two stops.
type writer[T any] struct {
	publisher
	message func(T) (Message, error)
}

var _ connector.Writer[Sent, string] = (*writer[string])(nil)

// Write publishes a batch, and returns when the server has it.
func (w *writer[T]) Write(ctx context.Context, sent *Sent, batch []engine.Message[T]) error {
	list := make([]outgoing, len(batch))
	for k, m := range batch { // nothing is sent of a batch with a message that is rejected
		made, err := w.message(m.Value)
		if err == nil {
			err = checkMessage(&made, w.server.MaxPayload())
		}
		if err != nil {
			return engine.Reject(fmt.Errorf("make a message of %s: %w", m.ID(), err))
		}
		list[k] = outgoing{Message: made, delivery: m.Delivery(), id: m.Delivery().Run + "/" + m.ID()}
	}
	return w.write(ctx, sent, list)
}

// outgoing is a message on its way.
type outgoing struct {
	Message
	delivery engine.Delivery
	id       string
}

// Delivery makes it something that positions can take.
func (o outgoing) Delivery() engine.Delivery { return o.delivery }

const headerRoom = 1 << 10 // bytes that the sink's own headers may take

func checkMessage(m *Message, most int64) error {
	if m.Subject == "" {
		return errors.New("it has no subject")
	}
	size := len(m.Data) + len(m.Subject) + headerRoom
	for name, values := range m.Header {
		for _, value := range values {
			size += len(name) + len(value) + 4
		}
	}
	if int64(size) > most {
		return fmt.Errorf("it has %d bytes with its headers, and the server takes %d", size, most)
	}
	return nil
}

// publisher writes messages into a stream, between two stops.
type publisher struct {
	config SinkConfig
	server *server
	known  bool   // last is where the stream ends
	last   uint64 // its end, as the sink has left it
}

func (p *publisher) About() connector.About {
	a := connector.About{
		Name:      "jetstream sink",
		Guarantee: connector.ExactlyOnce,
		Says: "Each message is published only if the stream ends where the sink has left it (ExpectLast). At a start the sink reads there what it wrote since its last commit. " +
			"The stream belongs to the sink; if others write there, the pipeline stops.",
		Place:    "the last sequence of the stream",
		Settings: connector.Settings(p.config),
	}
	if p.config.Mode == MessageID {
		a.Guarantee = connector.OnceWithin
		a.Says = "The server drops a message that comes again within the duplicate window of the stream (MessageID), 2 minutes by default. " +
			"After a longer stop messages may be there twice, and after a failed publish they may be out of order; for more than that use ExpectLast."
		a.Place = "the id of each message"
	}
	return a
}

// Open connects, and looks whether the stream is fit for the mode. It is called at each start.
func (p *publisher) Open(ctx context.Context) (err error) {
	if err := p.config.complete(); err != nil {
		return engine.Fatal(err)
	}
	if p.server, err = connect(ctx, p.config.NATS, p.config.Stream, p.rights()); err != nil {
		return err
	}
	now, found, err := p.server.look(ctx)
	switch {
	case err != nil:
		return p.server.refused(ctx, err)
	case !found:
		return p.missing()
	case p.config.Mode == MessageID:
		return nil
	case now.config.Retention != jetstream.LimitsPolicy:
		return engine.Fatal(fmt.Errorf("the stream %s has the retention %v, and ExpectLast has to read there what the sink wrote: use a stream with the retention limits, or MessageID", p.config.Stream, now.config.Retention))
	case now.config.MaxMsgsPerSubject > 0 && !p.config.AllowGaps:
		return engine.Fatal(fmt.Errorf("the stream %s keeps %d messages of each subject, so that the sink may not find there what it wrote since its last commit: lift that limit, or use MessageID", p.config.Stream, now.config.MaxMsgsPerSubject))
	}
	return nil
}

// missing is Unavailable for a while: a cluster that is just starting may not know the stream yet.
func (p *publisher) missing() error {
	return engine.Unavailable(fmt.Errorf("there is no stream %s on %s: make it, or restore it", p.config.Stream, p.server.Server()))
}

// Close ends the connection.
func (p *publisher) Close() error {
	if p.server != nil {
		p.server.Close()
		p.server = nil
	}
	return nil
}

// mostConflicts is how often one call may find that the stream does not end where it did.
const mostConflicts = 5

// write publishes what the stream does not have. Whatever fails is found out by the next call, which reads the end of
// the stream.
func (p *publisher) write(ctx context.Context, sent *Sent, list []outgoing) error {
	if err := p.server.away(); err != nil {
		p.known = false
		return err
	}
	if p.config.Mode == MessageID {
		_, err := p.publish(ctx, list, 0)
		return err
	}
	for range mostConflicts {
		if !p.known || p.last != sent.Last || sent.Created.IsZero() {
			if err := p.catchUp(ctx, sent); err != nil {
				return err
			}
		}
		left := list[:0:0]
		for _, o := range list {
			if !sent.Positions.Has(o) {
				left = append(left, o)
			}
		}
		conflict, err := p.publish(ctx, left, sent.Last)
		if err != nil {
			p.known = false
			return err
		}
		if conflict == nil {
			for _, o := range left {
				sent.Positions.Take(o)
			}
			sent.Last += uint64(len(left))
			p.last = sent.Last
			return nil
		}
		p.known = false
	}
	return engine.Unavailable(fmt.Errorf("others write into the stream %s all the time: give the sink a stream of its own, or use MessageID", p.config.Stream))
}

// header is that of a message as it is sent.
func (p *publisher) header(ctx context.Context, o *outgoing, expected uint64) nats.Header {
	h := nats.Header{}
	for name, values := range o.Header {
		if !isInstruction(name) {
			h[name] = values
		}
	}
	h[jetstream.ExpectedStreamHeader] = []string{p.config.Stream}
	if p.config.Mode == MessageID {
		h[jetstream.MsgIDHeader] = []string{o.id}
		return h
	}
	at := engine.InfoOf(ctx)
	h[jetstream.ExpectedLastSeqHeader] = []string{fmt.Sprint(expected)}
	h[MarkHeader] = []string{mark{p.writer(ctx), at.Epoch, o.delivery}.String()}
	return h
}

// isInstruction says that a header is not the user's: what JetStream acts on, and the mark of a sink. A message that
// a source has read has those of its own stream.
func isInstruction(name string) bool {
	return name == MarkHeader || len(name) > 5 && strings.EqualFold(name[:5], "Nats-")
}

// writer names the sink.
func (p *publisher) writer(ctx context.Context) string {
	at := engine.InfoOf(ctx)
	return at.Pipeline + "." + at.Stage
}
