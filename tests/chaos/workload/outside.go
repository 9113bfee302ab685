package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
)

// Outside is the NATS server that items are published to. It is not the one of the channels.
type Outside struct {
	connection *nats.Conn
	js         jetstream.JetStream
	prefix     string
}

// DialOutside connects. Each run of the campaign has a prefix of its own.
func DialOutside(url, prefix string) (*Outside, error) {
	connection, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("connect to the outside: %w", err)
	}
	js, err := jetstream.New(connection)
	if err != nil {
		connection.Close()
		return nil, fmt.Errorf("connect to the outside: %w", err)
	}
	return &Outside{connection, js, prefix}, nil
}

// Close ends the connection.
func (o *Outside) Close() { o.connection.Close() }

func (o *Outside) stream(sink string) string { return o.prefix + "-" + sink }

// Prepare makes the streams of all sinks that publish. The window of duplicates is short: what is published twice must
// be found by its id.
func (o *Outside) Prepare(ctx context.Context, s Spec) error {
	for _, stage := range s.Stages {
		if stage.Kind != Publish {
			continue
		}
		_, err := o.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: o.stream(stage.Name), Subjects: []string{o.stream(stage.Name)}, Storage: jetstream.MemoryStorage, Duplicates: 100 * time.Millisecond,
		})
		if err != nil {
			return fmt.Errorf("create stream %s: %w", o.stream(stage.Name), err)
		}
	}
	return nil
}

// Remove deletes what Prepare made.
func (o *Outside) Remove(ctx context.Context, s Spec) {
	for _, stage := range s.Stages {
		if stage.Kind == Publish {
			_ = o.js.DeleteStream(ctx, o.stream(stage.Name))
		}
	}
}

// publish is the function of a sink. After a crash it publishes the last items again, with the same ids.
func (o *Outside) publish(sink string) func(context.Context, *Rich, []engine.Message[Item]) error {
	subject := o.stream(sink)
	return func(ctx context.Context, r *Rich, batch []engine.Message[Item]) error {
		var pending []jetstream.PubAckFuture
		for _, m := range batch {
			if err := take(r, 0, m.Value, sink); err != nil {
				return engine.Fatal(err)
			}
			data, err := json.Marshal(m.Value)
			if err != nil {
				return engine.Fatal(err)
			}
			future, err := o.js.PublishAsync(subject, data, jetstream.WithMsgID(m.ID()))
			if err != nil {
				return engine.Unavailable(err)
			}
			pending = append(pending, future)
		}
		for _, future := range pending {
			select {
			case <-future.Ok():
			case err := <-future.Err():
				return engine.Unavailable(err)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
}

// Published is an item as it was published.
type Published struct {
	ID   string
	Item Item
}

// Read returns all that a sink has published, in its order.
func (o *Outside) Read(ctx context.Context, sink string) (list []Published, err error) {
	stream, err := o.js.Stream(ctx, o.stream(sink))
	if err != nil {
		return nil, fmt.Errorf("read what %s published: %w", sink, err)
	}
	last := stream.CachedInfo().State.Msgs
	if last == 0 {
		return nil, nil
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, fmt.Errorf("read what %s published: %w", sink, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, fmt.Errorf("read what %s published: %w", sink, err)
	}
	defer messages.Stop()
	for uint64(len(list)) < last {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, errors.Join(err, fmt.Errorf("read what %s published: %d of %d", sink, len(list), last))
		}
		p := Published{ID: m.Headers().Get(jetstream.MsgIDHeader)}
		if err := json.Unmarshal(m.Data(), &p.Item); err != nil {
			return nil, fmt.Errorf("read what %s published: %w", sink, err)
		}
		list = append(list, p)
	}
	return list, nil
}
