package jetstream

import (
	"errors"

	"penstock/engine"
)

// SinkConfig says where a sink publishes. NATS.URL and Stream are required.
type SinkConfig struct {
	// NATS is the server that has the stream, and the login there. Replicas and ConnectTimeout are not used: a server
	// that is away is waited for.
	NATS engine.NATS

	Stream string `doc:"name of the stream, which must exist and take the subjects of the messages"`
	Mode   Mode   `doc:"how messages that come again are recognised" default:"ExpectLast: exactly once, on a stream of its own"`
	// AllowGaps (with ExpectLast) goes on although others have written into the stream, its newest messages are gone, or
	// it was made anew. What the sink wrote since its last commit may then be written twice.
	AllowGaps bool `doc:"go on although the end of the stream is not as the sink has left it" default:"no: the pipeline stops"`
	InFlight  int  `doc:"messages that are sent and not acknowledged yet; besides that, 8 MiB" default:"256" unit:"messages"`
}

// Mode is how a sink recognises messages that come to it again.
type Mode int

const (
	// ExpectLast writes exactly once, whatever happens and however long it takes. Each message is published only if the
	// stream ends where the sink has left it, and at a start the sink reads there what it has written since its last
	// commit. The stream belongs to the sink: others may not write there, and it must keep messages by limits.
	ExpectLast Mode = iota
	// MessageID gives each message an id that is the same when it comes again. The server drops it within the duplicate
	// window of the stream (2 minutes by default). Beyond that, as after a longer stop in the middle of a commit,
	// messages may be there twice. Others may write into the stream.
	MessageID
)

const (
	defaultInFlight = 256
	mostInFlight    = 8 << 20 // bytes
)

func (c *SinkConfig) complete() error {
	if c.InFlight <= 0 {
		c.InFlight = defaultInFlight
	}
	switch {
	case c.NATS.URL == "":
		return errors.New("SinkConfig.NATS.URL is empty: name the server that has the stream")
	case c.Mode != ExpectLast && c.Mode != MessageID:
		return errors.New("SinkConfig.Mode must be ExpectLast or MessageID")
	}
	return checkStream("SinkConfig", c.Stream)
}
