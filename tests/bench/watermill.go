package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill"
	wmnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"
)

// watermills are Watermill with its JetStream adapter: the package that its
// documentation calls the primary one, the marshaler with the least work
// (headers), and asynchronous acknowledgements. Publish waits for each
// message, so several publish at a time where order need not hold.
func watermills() []peer {
	return []peer{watermillPeer(1), watermillPeer(16)}
}

func watermillPeer(parallel int) peer {
	of := watermillSide{parallel}
	p := peer{
		system:    fmt.Sprintf("Watermill, %d subscribers", parallel),
		guarantee: "at least once, in no order: an ack may be lost, a repeated publish is doubled; no state",
		share:     share{"always": 200, "lazy": 20},
		send:      of.send,
		relay:     of.relay,
	}
	if parallel == 1 {
		p.system, p.ordered = "Watermill, 1 subscriber", true
		p.guarantee = "at least once: an ack may be lost, a repeated publish is doubled; no state"
	}
	return p
}

// watermillSide publishes, and subscribes, so many times at once.
type watermillSide struct{ parallel int }

func (w watermillSide) publisher(p *program) (*wmnats.Publisher, error) {
	conn, err := p.connect()
	if err != nil {
		return nil, err
	}
	publisher, err := wmnats.NewPublisherWithNatsConn(conn, wmnats.PublisherPublishConfig{
		Marshaler:         &wmnats.NATSMarshaler{},
		SubjectCalculator: wmnats.DefaultSubjectCalculator,
	}, watermill.NopLogger{})
	if err != nil {
		return nil, fmt.Errorf("publisher of Watermill: %w", err)
	}
	return publisher, nil
}

func (w watermillSide) send(p *program, s sending) (role, error) {
	publisher, err := w.publisher(p)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		var mu sync.Mutex
		var next uint64
		make := func() (data []byte, more bool, err error) {
			mu.Lock()
			defer mu.Unlock()
			if next == s.n || ctx.Err() != nil {
				return nil, false, context.Cause(ctx)
			}
			data, err = s.make(next)
			next++
			return data, true, err
		}
		group := new(errgroup.Group)
		for range w.parallel {
			group.Go(func() error {
				for {
					data, more, err := make()
					if err != nil || !more {
						return err
					}
					if err := publisher.Publish(s.topic, message.NewMessage(watermill.NewULID(), data)); err != nil {
						return fmt.Errorf("publish: %w", err)
					}
				}
			})
		}
		return group.Wait()
	}, nil
}

func (w watermillSide) relay(p *program, r relaying) (role, error) {
	publisher, err := w.publisher(p)
	if err != nil {
		return nil, err
	}
	conn, err := connect(p.serve)
	if err != nil {
		return nil, err
	}
	config := wmnats.SubscriberSubscriptionConfig{
		Unmarshaler:      &wmnats.NATSMarshaler{},
		SubscribersCount: w.parallel,
		JetStream: wmnats.JetStreamConfig{
			AckAsync:         true,
			DurablePrefix:    r.name,
			SubscribeOptions: []nats.SubOpt{nats.DeliverAll(), nats.AckExplicit()},
		},
	}
	if w.parallel > 1 {
		config.QueueGroupPrefix = r.name
	}
	subscriber, err := wmnats.NewSubscriberWithNatsConn(conn, config, watermill.NopLogger{})
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("subscriber of Watermill: %w", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.ctx))
	messages, err := subscriber.Subscribe(ctx, r.from)
	p.close = append(p.close, func() {
		cancel()
		_ = subscriber.Close()
		conn.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe Watermill to %s: %w", r.from, err)
	}
	return func(ctx context.Context) error {
		if err := w.take(ctx, r, messages, publisher); err != nil {
			return err
		}
		return conn.FlushWithContext(ctx) // the last acknowledgements
	}, nil
}

// take handles the messages with as many workers as there are subscribers.
func (w watermillSide) take(ctx context.Context, r relaying, messages <-chan *message.Message, publisher *wmnats.Publisher) error {
	all := make(chan struct{})
	var mu sync.Mutex
	var count uint64
	handle := func(m *message.Message) (data []byte, err error) {
		mu.Lock()
		defer mu.Unlock()
		return r.handle(m.Payload)
	}
	counted := func() {
		mu.Lock()
		defer mu.Unlock()
		if count++; count == r.n {
			close(all)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for range w.parallel {
		group.Go(func() error {
			for {
				select {
				case m, open := <-messages:
					if !open {
						return fmt.Errorf("the subscription of %s has ended", r.from)
					}
					data, err := handle(m)
					if err == nil && r.to != "" {
						err = publisher.Publish(r.to, message.NewMessage(watermill.NewULID(), data))
					}
					if err != nil {
						return err
					}
					m.Ack()
					counted()
				case <-all:
					return nil
				case <-ctx.Done():
					return fmt.Errorf("wait for the messages of %s: %w", r.from, context.Cause(ctx))
				}
			}
		})
	}
	return group.Wait()
}
