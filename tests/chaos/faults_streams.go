//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/tests/chaos/workload"
)

func streamFaults() []fault {
	safe, may := needs{server: true, space: true}, needs{server: true, space: true, refusal: true}
	return []fault{
		{"consumer-delete", "another client deletes the consumers", safe, (*cycle).deleteConsumers},
		{"consumer-edit", "another client edits the consumers", safe, (*cycle).editConsumers},
		{"stream-edit", "another client edits a stream, in ways that lose nothing by themselves", safe, (*cycle).editStream},
		{"stream-purge", "another client purges a stream, or a part of it", may, (*cycle).purgeStream},
		{"stream-purge-off", "the same while the pipeline does not run", may, (*cycle).purgeWhileOff},
		{"stream-bound", "another client bounds a stream, so that its server drops what is old", may, (*cycle).boundStream},
		{"stream-delete", "another client deletes a stream", may, (*cycle).deleteStream},
	}
}

const adminTime = 20 * time.Second

// meddle does something with the streams of the pipeline, as another client. What is not there any more is as good.
func (c *cycle) meddle(during func() error, do func(ctx context.Context, js jetstream.JetStream, streams []jetstream.Stream) error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.admin(do); err != nil {
		return err
	}
	c.lift()
	return during()
}

// admin does something with the streams of the pipeline, if their server is there.
func (c *cycle) admin(do func(ctx context.Context, js jetstream.JetStream, streams []jetstream.Stream) error) error {
	if !c.server.child.IsAlive() {
		return nil
	}
	connection, err := nats.Connect(c.server.url())
	if err != nil {
		return err
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), adminTime)
	defer cancel()
	var streams []jetstream.Stream
	for _, s := range c.spec.Stages {
		stream, err := js.Stream(ctx, workload.Name+"+"+s.Name)
		if err == nil {
			streams = append(streams, stream)
		} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
	}
	if len(streams) == 0 {
		return nil
	}
	err = do(ctx, js, streams)
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}

// anyStream is one of them.
func (c *cycle) anyStream(streams []jetstream.Stream) jetstream.Stream {
	return streams[c.IntN(len(streams))]
}

func (c *cycle) eachConsumer(during func() error, do func(ctx context.Context, s jetstream.Stream, name string) error) error {
	return c.meddle(during, func(ctx context.Context, _ jetstream.JetStream, streams []jetstream.Stream) error {
		for _, s := range streams {
			names := s.ConsumerNames(ctx)
			for name := range names.Name() {
				if err := do(ctx, s, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
					return err
				}
			}
			if err := names.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
				return err
			}
		}
		return nil
	})
}

func (c *cycle) deleteConsumers(during func() error) error {
	return c.eachConsumer(during, func(ctx context.Context, s jetstream.Stream, name string) error {
		return s.DeleteConsumer(ctx, name)
	})
}

func (c *cycle) editConsumers(during func() error) error {
	return c.eachConsumer(during, func(ctx context.Context, s jetstream.Stream, name string) error {
		consumer, err := s.Consumer(ctx, name)
		if err != nil {
			return err
		}
		config := consumer.CachedInfo().Config
		switch c.IntN(4) {
		case 0:
			config.MaxAckPending = 1
		case 1:
			config.AckWait = time.Second
		case 2:
			config.FilterSubject, config.FilterSubjects = "nothing.at.all", nil
		default:
			config.Description = "edited"
		}
		_, err = s.UpdateConsumer(ctx, config)
		if refused := (*jetstream.APIError)(nil); errors.As(err, &refused) {
			return nil // the server allows that to nobody
		}
		return err
	})
}

func (c *cycle) changeStream(during func() error, change func(config *jetstream.StreamConfig)) error {
	return c.meddle(during, func(ctx context.Context, js jetstream.JetStream, streams []jetstream.Stream) error {
		config := c.anyStream(streams).CachedInfo().Config
		change(&config)
		_, err := js.UpdateStream(ctx, config)
		if refused := (*jetstream.APIError)(nil); errors.As(err, &refused) {
			return nil
		}
		return err
	})
}

func (c *cycle) editStream(during func() error) error {
	return c.changeStream(during, func(config *jetstream.StreamConfig) {
		switch c.IntN(3) {
		case 0:
			config.Description = "edited"
		case 1:
			config.Discard = jetstream.DiscardOld
		default:
			config.Duplicates = 100 * time.Millisecond
		}
	})
}

func (c *cycle) boundStream(during func() error) error {
	return c.changeStream(during, func(config *jetstream.StreamConfig) {
		config.Discard = jetstream.DiscardOld
		if c.IntN(2) == 0 {
			config.MaxMsgs = 1 + c.Int64N(5)
			return
		}
		config.MaxAge = 200 * time.Millisecond
	})
}

func (c *cycle) purgeStream(during func() error) error { return c.meddle(during, c.purge) }

func (c *cycle) purgeWhileOff(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.killVictim(); err != nil {
		return err
	}
	if err := c.admin(c.purge); err != nil {
		return err
	}
	return during()
}

func (c *cycle) purge(ctx context.Context, _ jetstream.JetStream, streams []jetstream.Stream) error {
	s := c.anyStream(streams)
	info, err := s.Info(ctx)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	var options []jetstream.StreamPurgeOpt
	switch c.IntN(4) {
	case 0, 1:
		options = append(options, jetstream.WithPurgeKeep(1))
	case 2:
		options = append(options, jetstream.WithPurgeSequence(info.State.FirstSeq+c.Uint64N(info.State.LastSeq-info.State.FirstSeq+2)))
	}
	return s.Purge(ctx, options...)
}

func (c *cycle) deleteStream(during func() error) error {
	return c.meddle(during, func(ctx context.Context, js jetstream.JetStream, streams []jetstream.Stream) error {
		return js.DeleteStream(ctx, c.anyStream(streams).CachedInfo().Config.Name)
	})
}
