package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"penstock/engine/broker"

	"github.com/nats-io/nats.go/jetstream"
)

// Delete removes the stream with everything in it, for all instances of the stage. One that is gone already is fine.
func (c *Channel) Delete(ctx context.Context) error {
	return deleteStream(ctx, c.broker, c.logger, c.name)
}

// DeleteAll removes every stream of a pipeline: its channels and its dead letters.
func DeleteAll(ctx context.Context, b *broker.Broker, pipeline string) error {
	logger := slog.New(slog.DiscardHandler)
	var names []string
	err := repeat(ctx, b, logger, "list the streams of pipeline "+pipeline, func(ctx context.Context) (err error) {
		names, err = streamsOf(ctx, b, pipeline)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := deleteStream(ctx, b, logger, name); err != nil {
			return err
		}
	}
	return nil
}

func streamsOf(ctx context.Context, b *broker.Broker, pipeline string) ([]string, error) {
	var names []string
	list := b.JetStream().ListStreams(ctx)
	for info := range list.Info() {
		if info.Config.Metadata[metaPipeline] == pipeline || strings.HasPrefix(info.Config.Name, pipeline+"+") {
			names = append(names, info.Config.Name)
		}
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("list streams: %w", err)
	}
	return names, nil
}

func deleteStream(ctx context.Context, b *broker.Broker, logger *slog.Logger, name string) error {
	return repeat(ctx, b, logger, "delete stream "+name, func(ctx context.Context) error {
		err := b.JetStream().DeleteStream(ctx, name)
		if err == nil || errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		return fmt.Errorf("delete stream %s: %w", name, err)
	})
}
