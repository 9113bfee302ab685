package broker

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// permittedConsumer is permitted for what is asked of a consumer.
type permittedConsumer struct {
	jetstream.Consumer
	broker *Broker
	name   string // of the stream and the consumer, as subjects end
}

func (p permitted) consumer(c jetstream.Consumer, stream string, err error) (jetstream.Consumer, error) {
	if err != nil || c == nil {
		return c, err
	}
	return permittedConsumer{c, p.broker, stream + "." + c.CachedInfo().Name}, nil
}

func (c permittedConsumer) Info(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	return asked(ctx, c.broker, api+"CONSUMER.INFO."+c.name, c.Consumer.Info)
}

func (c permittedConsumer) Fetch(batch int, opts ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	return c.fetch(func() (jetstream.MessageBatch, error) { return c.Consumer.Fetch(batch, opts...) })
}

func (c permittedConsumer) FetchNoWait(batch int) (jetstream.MessageBatch, error) {
	return c.fetch(func() (jetstream.MessageBatch, error) { return c.Consumer.FetchNoWait(batch) })
}

func (c permittedConsumer) fetch(request func() (jetstream.MessageBatch, error)) (jetstream.MessageBatch, error) {
	ctx, cancel := c.broker.WhilePermitted(context.Background(), api+"CONSUMER.MSG.NEXT."+c.name)
	batch, err := request()
	if err != nil {
		defer cancel()
		return nil, refusedBy(ctx, err)
	}
	b := &permittedBatch{MessageBatch: batch, messages: make(chan jetstream.Msg), over: make(chan struct{})}
	go b.forward(ctx, cancel)
	return b, nil
}

// permittedBatch ends when the request was refused. Messages has to be read to its end.
type permittedBatch struct {
	jetstream.MessageBatch
	messages chan jetstream.Msg
	over     chan struct{}
	refused  error // once over is closed
}

func (b *permittedBatch) forward(ctx context.Context, cancel context.CancelFunc) {
	defer cancel()
	defer close(b.messages)
	defer close(b.over)
	for {
		select {
		case msg, ok := <-b.MessageBatch.Messages():
			if !ok {
				return
			}
			b.messages <- msg
		case <-ctx.Done():
			b.refused = context.Cause(ctx)
			return
		}
	}
}

func (b *permittedBatch) Messages() <-chan jetstream.Msg { return b.messages }

func (b *permittedBatch) Error() error {
	select {
	case <-b.over:
		if b.refused != nil {
			return b.refused
		}
	default:
	}
	return b.MessageBatch.Error()
}
