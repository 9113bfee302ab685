package broker

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const api = jetstream.DefaultAPIPrefix

// permitted is JetStream whose requests end as soon as the server refuses the right to them, with a [PermissionError].
// nats.go would wait for an answer that does not come.
type permitted struct {
	jetstream.JetStream
	broker *Broker
}

// asked makes one request.
func asked[T any](ctx context.Context, b *Broker, subject string, request func(context.Context) (T, error)) (T, error) {
	ctx, cancel := b.WhilePermitted(ctx, subject)
	defer cancel()
	answer, err := request(ctx)
	return answer, refusedBy(ctx, err)
}

func (p permitted) streamAsked(ctx context.Context, subject string, request func(context.Context) (jetstream.Stream, error)) (jetstream.Stream, error) {
	s, err := asked(ctx, p.broker, subject, request)
	if err != nil || s == nil {
		return s, err
	}
	return permittedStream{s, p}, nil
}

func (p permitted) AccountInfo(ctx context.Context) (*jetstream.AccountInfo, error) {
	return asked(ctx, p.broker, api+"INFO", p.JetStream.AccountInfo)
}

func (p permitted) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	return p.streamAsked(ctx, api+"STREAM.INFO."+name, func(ctx context.Context) (jetstream.Stream, error) {
		return p.JetStream.Stream(ctx, name)
	})
}

func (p permitted) CreateStream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	return p.streamAsked(ctx, api+"STREAM.CREATE."+cfg.Name, func(ctx context.Context) (jetstream.Stream, error) {
		return p.JetStream.CreateStream(ctx, cfg)
	})
}

func (p permitted) UpdateStream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	return p.streamAsked(ctx, api+"STREAM.UPDATE."+cfg.Name, func(ctx context.Context) (jetstream.Stream, error) {
		return p.JetStream.UpdateStream(ctx, cfg)
	})
}

// CreateOrUpdateStream asks twice.
func (p permitted) CreateOrUpdateStream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := p.UpdateStream(ctx, cfg)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return p.CreateStream(ctx, cfg)
	}
	return s, err
}

// ListStreams is refused for as long as its list is read.
func (p permitted) ListStreams(ctx context.Context, opts ...jetstream.StreamListOpt) jetstream.StreamInfoLister {
	ctx, cancel := p.broker.WhilePermitted(ctx, api+"STREAM.LIST")
	return permittedList{p.JetStream.ListStreams(ctx, opts...), ctx, cancel}
}

type permittedList struct {
	jetstream.StreamInfoLister
	ctx    context.Context // of the request, for its cause
	cancel context.CancelFunc
}

func (l permittedList) Err() error {
	defer l.cancel()
	return refusedBy(l.ctx, l.StreamInfoLister.Err())
}

func (p permitted) DeleteStream(ctx context.Context, name string) error {
	_, err := asked(ctx, p.broker, api+"STREAM.DELETE."+name, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.JetStream.DeleteStream(ctx, name)
	})
	return err
}

func (p permitted) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	return asked(ctx, p.broker, msg.Subject, func(ctx context.Context) (*jetstream.PubAck, error) {
		return p.JetStream.PublishMsg(ctx, msg, opts...)
	})
}

func (p permitted) CreateConsumer(ctx context.Context, stream string, cfg jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	// The end of the subject is made by nats.go.
	prefix := api + "CONSUMER.CREATE." + stream
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer p.broker.connection.refusals.watch(
		func(refused *PermissionError) bool {
			return refused.concerns(prefix, p.broker.inbox) || strings.HasPrefix(refused.Subject, prefix+".")
		},
		func(refused *PermissionError) { end(refused) })()
	c, err := p.JetStream.CreateConsumer(ctx, stream, cfg)
	return p.consumer(c, stream, refusedBy(ctx, err))
}

func (p permitted) Consumer(ctx context.Context, stream, name string) (jetstream.Consumer, error) {
	c, err := asked(ctx, p.broker, api+"CONSUMER.INFO."+stream+"."+name, func(ctx context.Context) (jetstream.Consumer, error) {
		return p.JetStream.Consumer(ctx, stream, name)
	})
	return p.consumer(c, stream, err)
}

func (p permitted) DeleteConsumer(ctx context.Context, stream, name string) error {
	_, err := asked(ctx, p.broker, api+"CONSUMER.DELETE."+stream+"."+name, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.JetStream.DeleteConsumer(ctx, stream, name)
	})
	return err
}

// permittedStream is the same of a stream.
type permittedStream struct {
	jetstream.Stream
	js permitted
}

func (s permittedStream) name() string { return s.CachedInfo().Config.Name }

func (s permittedStream) Info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	return asked(ctx, s.js.broker, api+"STREAM.INFO."+s.name(), func(ctx context.Context) (*jetstream.StreamInfo, error) {
		return s.Stream.Info(ctx, opts...)
	})
}

func (s permittedStream) Purge(ctx context.Context, opts ...jetstream.StreamPurgeOpt) error {
	_, err := asked(ctx, s.js.broker, api+"STREAM.PURGE."+s.name(), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.Stream.Purge(ctx, opts...)
	})
	return err
}

func (s permittedStream) GetMsg(ctx context.Context, seq uint64, opts ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	return asked(ctx, s.js.broker, api+"STREAM.MSG.GET."+s.name(), func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.Stream.GetMsg(ctx, seq, opts...)
	})
}

func (s permittedStream) GetLastMsgForSubject(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	return asked(ctx, s.js.broker, api+"STREAM.MSG.GET."+s.name(), func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.Stream.GetLastMsgForSubject(ctx, subject)
	})
}

func (s permittedStream) DeleteMsg(ctx context.Context, seq uint64) error {
	_, err := asked(ctx, s.js.broker, api+"STREAM.MSG.DELETE."+s.name(), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.Stream.DeleteMsg(ctx, seq)
	})
	return err
}
