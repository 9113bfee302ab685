package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/jscode"
)

const (
	createAttempts   = 6
	firstCreateDelay = 10 * time.Millisecond
)

// creator makes streams in spite of a race in the server (2.15.2, stream.stop): when the last stream is deleted, the
// directory of all streams goes too, a moment after the answer, and with it what is just being made in it.
type creator struct{ jetstream.JetStream }

func newJetStream(conn *nats.Conn) (jetstream.JetStream, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	return creator{js}, nil
}

// CreateStream is that of JetStream, but for what passes by itself.
func (c creator) CreateStream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	for try, delay := 1, firstCreateDelay; ; try, delay = try+1, 2*delay {
		s, err := c.JetStream.CreateStream(ctx, cfg)
		var refusal *jetstream.APIError
		if !errors.As(err, &refusal) || refusal.ErrorCode != jscode.StreamCreate || try == createAttempts {
			return s, c.explained(ctx, cfg, err)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// UpdateStream is that of JetStream, with the limit that was met.
func (c creator) UpdateStream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := c.JetStream.UpdateStream(ctx, cfg)
	return s, ExplainLimit(err)
}

// CreateConsumer is that of JetStream, with the limit that was met.
func (c creator) CreateConsumer(ctx context.Context, stream string, cfg jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	consumer, err := c.JetStream.CreateConsumer(ctx, stream, cfg)
	return consumer, ExplainLimit(err)
}

// PublishMsg is that of JetStream, with the limit that was met.
func (c creator) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ack, err := c.JetStream.PublishMsg(ctx, msg, opts...)
	return ack, ExplainLimit(err)
}

// explained adds to a refusal what the server leaves out.
func (c creator) explained(ctx context.Context, cfg jetstream.StreamConfig, err error) error {
	var refusal *jetstream.APIError
	if !errors.As(err, &refusal) {
		return err
	}
	if refusal.ErrorCode == jscode.Overlap {
		return fmt.Errorf("%w: %s of the stream %s%s: give the pipeline another name, or narrow the subjects of the other stream",
			err, strings.Join(cfg.Subjects, ", "), cfg.Name, c.others(ctx, cfg))
	}
	return ExplainLimit(err)
}

// others names the streams that take subjects of this one.
func (c creator) others(ctx context.Context, cfg jetstream.StreamConfig) string {
	var found []string
	for _, subject := range cfg.Subjects {
		list := c.ListStreams(ctx, jetstream.WithStreamListSubject(subject))
		for other := range list.Info() {
			if other.Config.Name != cfg.Name {
				found = append(found, fmt.Sprintf("%s of the stream %s", strings.Join(other.Config.Subjects, ", "), other.Config.Name))
			}
		}
	}
	if found == nil {
		return " and those of another stream"
	}
	return " and " + strings.Join(found, "; ")
}
