package broker

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	codeStreamCreate = 10049 // the error of the JetStream API that stands for any trouble with a new stream's files
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
		if !errors.As(err, &refusal) || refusal.ErrorCode != codeStreamCreate || try == createAttempts {
			return s, err
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, err
		}
	}
}
