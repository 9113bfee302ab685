package channel

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Info is the size of the stream, all instances together.
type Info struct {
	First, Last uint64 // sequences; First > Last: the stream is empty
	Bytes       uint64
	Frames      uint64
}

// Info waits out a server that is away.
func (c *Channel) Info(ctx context.Context) (Info, error) {
	var info jetstream.StreamState
	err := repeat(ctx, c.broker, c.logger, "read the state of stream "+c.name, func(ctx context.Context) (err error) {
		info, err = c.state(ctx)
		return err
	})
	if err != nil {
		return Info{}, err
	}
	return Info{First: info.FirstSeq, Last: info.LastSeq, Bytes: info.Bytes, Frames: info.Msgs}, nil
}

// state asks for the stream's state without touching the shared handle, which caches what it is told.
func (c *Channel) state(ctx context.Context) (jetstream.StreamState, error) {
	s, err := c.broker.JetStream().Stream(ctx, c.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return jetstream.StreamState{}, c.lostError()
	}
	if err != nil {
		return jetstream.StreamState{}, fmt.Errorf("stream %s: read its state: %w", c.name, err)
	}
	return s.CachedInfo().State, nil
}
