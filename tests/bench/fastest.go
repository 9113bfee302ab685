package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	fastestWindow = 64 << 10 // publishes under way
	fastestBatch  = 4 << 10  // messages pulled at once, and at most acknowledged by one ack
)

// fastest is what can be written by hand when speed is all: publishing without
// ids and with a large window, the next batch of messages pulled while one is
// handled, one acknowledgement for all of a batch. A relay waits until what came of the batch is stored.
var fastest = peer{
	system:    "nats.go by hand, fastest",
	guarantee: "at least once: no ids, so a repeated publish is doubled; a crash repeats a batch; no state",
	ordered:   true,
	send:      fastestSender,
	relay:     fastestRelay,
}

func fastestSender(p *program, s sending) (role, error) {
	side, err := p.side(jetstream.WithPublishAsyncMaxPending(fastestWindow))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		for i := range s.n {
			data, err := s.make(i)
			if err != nil {
				return err
			}
			if _, err := side.js.PublishAsync(s.topic, data, jetstream.WithStallWait(time.Minute)); err != nil {
				return fmt.Errorf("publish message %d: %w", i, err)
			}
		}
		return side.published(ctx)
	}, nil
}

func fastestRelay(p *program, r relaying) (role, error) {
	side, err := p.side(jetstream.WithPublishAsyncMaxPending(fastestWindow))
	if err != nil {
		return nil, err
	}
	consumer, err := side.js.CreateConsumer(p.ctx, r.from, jetstream.ConsumerConfig{
		Durable:       r.name,
		AckPolicy:     jetstream.AckAllPolicy,
		MaxAckPending: 8 * fastestBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("create the consumer %s: %w", r.name, err)
	}
	return func(ctx context.Context) error {
		arrived := make(chan jetstream.Msg, 2*fastestBatch)
		consuming, err := consumer.Consume(func(m jetstream.Msg) { arrived <- m }, jetstream.PullMaxMessages(fastestBatch))
		if err != nil {
			return fmt.Errorf("consume: %w", err)
		}
		defer endConsuming(consuming, arrived)
		for count := uint64(0); count < r.n; {
			batch, err := gather(ctx, arrived)
			if err != nil {
				return err
			}
			if err := side.relayBatch(ctx, r, batch); err != nil {
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
	for len(batch) < fastestBatch {
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
func (s *byHandSide) relayBatch(ctx context.Context, r relaying, batch []jetstream.Msg) error {
	for _, m := range batch {
		data, err := r.handle(m.Data())
		if err != nil {
			return err
		}
		if r.to == "" {
			continue
		}
		if _, err := s.js.PublishAsync(r.to, data, jetstream.WithStallWait(time.Minute)); err != nil {
			return fmt.Errorf("publish: %w", err)
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
