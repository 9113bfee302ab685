package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	largeWindow = 64 << 10 // publishes under way
	pulled      = 4 << 10  // messages pulled at once, and at most acknowledged by one ack
)

// windowed is what can be written by hand when speed is all: publishing without
// ids and with a large window, the next batch of messages pulled while one is
// handled, one acknowledgement for all of a batch. A relay waits until what came
// of the batch is stored.
var windowed = peer{
	system:    "nats.go by hand, large windows",
	guarantee: "at least once: no ids, so a repeated publish is doubled; a crash repeats a batch; no state",
	share:     byHand.share,
	ordered:   true,
	send: func(p *program, s sending) (role, error) {
		return publishingSender(p, s, largeWindow, oneByOne)
	},
	relay: func(p *program, r relaying) (role, error) {
		return batchRelay(p, r, largeWindow, oneByOne)
	},
}

// stall is how long a publish waits for room in the window.
var stall = jetstream.WithStallWait(time.Minute)

// oneByOne returns a function that publishes to the topic.
func oneByOne(s *byHandSide, topic string, _ uint64) func([]byte) error {
	return func(data []byte) error {
		if _, err := s.js.PublishAsync(topic, data, stall); err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
		return nil
	}
}

// publishingSender publishes by what a publisher makes, with so many messages under way.
func publishingSender(p *program, s sending, under int, publishes publisher) (role, error) {
	side, err := p.side(jetstream.WithPublishAsyncMaxPending(under))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		publish := publishes(side, s.topic, s.n)
		for i := range s.n {
			data, err := s.make(i)
			if err != nil {
				return err
			}
			if err := publish(data); err != nil {
				return err
			}
		}
		return side.published(ctx)
	}, nil
}

// publisher makes a function that publishes so many messages to a topic.
type publisher func(s *byHandSide, topic string, total uint64) func([]byte) error

// batchRelay pulls the next messages while it handles some, and publishes what
// comes of them.
func batchRelay(p *program, r relaying, window int, publish publisher) (role, error) {
	side, err := p.side(jetstream.WithPublishAsyncMaxPending(window))
	if err != nil {
		return nil, err
	}
	consumer, err := side.js.CreateConsumer(p.ctx, r.from, jetstream.ConsumerConfig{
		Durable:       r.name,
		AckPolicy:     jetstream.AckAllPolicy,
		MaxAckPending: 8 * pulled,
	})
	if err != nil {
		return nil, fmt.Errorf("create the consumer %s: %w", r.name, err)
	}
	return func(ctx context.Context) error {
		arrived := make(chan jetstream.Msg, 2*pulled)
		consuming, err := consumer.Consume(func(m jetstream.Msg) { arrived <- m }, jetstream.PullMaxMessages(pulled))
		if err != nil {
			return fmt.Errorf("consume: %w", err)
		}
		defer endConsuming(consuming, arrived)
		for count := uint64(0); count < r.n; {
			batch, err := gather(ctx, arrived)
			if err != nil {
				return err
			}
			if err := side.relayBatch(ctx, r, batch, publish(side, r.to, uint64(len(batch)))); err != nil {
				return err
			}
			count += uint64(len(batch))
		}
		return side.conn.FlushWithContext(ctx)
	}, nil
}

// endConsuming waits for the end, and makes room for what still comes.
func endConsuming(consuming jetstream.ConsumeContext, arrived <-chan jetstream.Msg) {
	consuming.Stop()
	for {
		select {
		case <-arrived:
		case <-consuming.Closed():
			return
		}
	}
}

// gather waits for a message and returns it with all that are there.
func gather(ctx context.Context, arrived <-chan jetstream.Msg) ([]jetstream.Msg, error) {
	var batch []jetstream.Msg
	select {
	case m := <-arrived:
		batch = append(batch, m)
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a message: %w", context.Cause(ctx))
	}
	for len(batch) < pulled {
		select {
		case m := <-arrived:
			batch = append(batch, m)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// relayBatch handles a batch, waits until what came of it is stored, and
// acknowledges all of it at once.
func (s *byHandSide) relayBatch(ctx context.Context, r relaying, batch []jetstream.Msg, publish func([]byte) error) error {
	for _, m := range batch {
		data, err := r.handle(m.Data())
		if err != nil {
			return err
		}
		if r.to == "" {
			continue
		}
		if err := publish(data); err != nil {
			return err
		}
	}
	if err := s.published(ctx); err != nil {
		return err
	}
	if err := batch[len(batch)-1].Ack(); err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	return nil
}
