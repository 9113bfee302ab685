package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// byHandUnacked is as many as a pipeline's batch, so that neither bound is
// what is measured.
const byHandUnacked = 16 << 10

// byHand is what the documentation of nats.go recommends: asynchronous
// publishing with message ids, a durable consumer that acknowledges each
// message once its handler is through. A relay acknowledges when what it
// published is acknowledged.
var byHand = peer{
	system:    "nats.go by hand",
	guarantee: "at least once: ids for 2 min, an ack may be lost; no state",
	share:     share{"always": 100, "lazy": 10},
	ordered:   true,
	send:      byHandSender,
	relay:     byHandRelay,
}

// byHandSide is a connection whose refused publishes are noticed.
type byHandSide struct {
	conn   *nats.Conn
	js     jetstream.JetStream
	failed chan error // the first publish that was refused
}

func (p *program) side(options ...jetstream.JetStreamOpt) (*byHandSide, error) {
	conn, err := p.connect()
	if err != nil {
		return nil, err
	}
	s := &byHandSide{conn: conn, failed: make(chan error, 1)}
	options = append(options, jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, m *nats.Msg, err error) {
		tell(s.failed, fmt.Errorf("publish to %s: %w", m.Subject, err))
	}))
	if s.js, err = jetstream.New(conn, options...); err != nil {
		return nil, fmt.Errorf("JetStream: %w", err)
	}
	return s, nil
}

// published waits until the server has everything.
func (s *byHandSide) published(ctx context.Context) error {
	select {
	case <-s.js.PublishAsyncComplete():
	case <-ctx.Done():
		return fmt.Errorf("wait for the publish acknowledgements: %w", context.Cause(ctx))
	}
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}

func (s *byHandSide) publish(topic, id string, data []byte) (jetstream.PubAckFuture, error) {
	m := nats.NewMsg(topic)
	m.Data = data
	future, err := s.js.PublishMsgAsync(m, jetstream.WithMsgID(id), jetstream.WithStallWait(time.Minute))
	if err != nil {
		return nil, fmt.Errorf("publish message %s: %w", id, err)
	}
	return future, nil
}

func byHandSender(p *program, s sending) (role, error) {
	side, err := p.side()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		for i := range s.n {
			data, err := s.make(i)
			if err != nil {
				return err
			}
			if _, err := side.publish(s.topic, strconv.FormatUint(i, 10), data); err != nil {
				return err
			}
		}
		return side.published(ctx)
	}, nil
}

func byHandRelay(p *program, r relaying) (role, error) {
	side, err := p.side()
	if err != nil {
		return nil, err
	}
	consumer, err := side.js.CreateConsumer(p.ctx, r.from, jetstream.ConsumerConfig{
		Durable:       r.name,
		AckPolicy:     jetstream.AckExplicitPolicy,
		MaxAckPending: byHandUnacked,
	})
	if err != nil {
		return nil, fmt.Errorf("create the consumer %s: %w", r.name, err)
	}
	return func(ctx context.Context) error {
		done := make(chan error, 1)
		take, stop := side.taker(r, done)
		defer stop()
		consuming, err := consumer.Consume(take)
		if err != nil {
			return fmt.Errorf("consume: %w", err)
		}
		defer func() {
			consuming.Stop()
			<-consuming.Closed()
		}()
		if err := await(ctx, "the messages of "+r.from, done); err != nil {
			return err
		}
		return side.conn.FlushWithContext(ctx) // the last acknowledgements
	}, nil
}

// taker handles and acknowledges messages, and tells done when all are there.
// stop must be called when no message comes any more.
func (s *byHandSide) taker(r relaying, done chan<- error) (take jetstream.MessageHandler, stop func()) {
	var count uint64
	acknowledge := func(m jetstream.Msg) {
		if err := m.Ack(); err != nil {
			tell(done, fmt.Errorf("acknowledge: %w", err))
		} else if count++; count == r.n {
			tell(done, nil)
		}
	}
	if r.to == "" {
		return func(m jetstream.Msg) {
			if _, err := r.handle(m.Data()); err != nil {
				tell(done, err)
				return
			}
			acknowledge(m)
		}, func() {}
	}
	waiting := make(chan relayed, byHandUnacked)
	var acknowledging sync.WaitGroup
	acknowledging.Go(func() {
		for w := range waiting {
			select {
			case <-w.future.Ok():
				acknowledge(w.from)
			case err := <-w.future.Err():
				tell(done, err)
			}
		}
	})
	return func(m jetstream.Msg) {
			future, err := s.pass(r, m)
			if err != nil {
				tell(done, err)
				return
			}
			waiting <- relayed{m, future}
		}, func() {
			close(waiting)
			acknowledging.Wait()
		}
}

// relayed is a message whose successor is on its way.
type relayed struct {
	from   jetstream.Msg
	future jetstream.PubAckFuture
}

// pass publishes what comes of a message under an id that would be the same if
// the message came again.
func (s *byHandSide) pass(r relaying, m jetstream.Msg) (jetstream.PubAckFuture, error) {
	data, err := r.handle(m.Data())
	if err != nil {
		return nil, err
	}
	about, err := m.Metadata()
	if err != nil {
		return nil, fmt.Errorf("read where a message is from: %w", err)
	}
	return s.publish(r.to, r.name+strconv.FormatUint(about.Sequence.Stream, 10), data)
}
