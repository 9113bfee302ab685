package jetstream

import (
	"time"

	"github.com/nats-io/nats.go"
)

// Message is a message of a JetStream stream.
type Message struct {
	Subject string              `json:"subject"`
	Header  map[string][]string `json:"header,omitempty"` // nil: none
	Data    []byte              `json:"data"`
	// Sequence and Time are those of the message in the stream that a source has read it from. A sink leaves them alone.
	Sequence uint64    `json:"sequence,omitempty"`
	Time     time.Time `json:"time,omitzero"`
}

// Value is the first value of a header, "" if there is none. Names are compared to the letter, as NATS does.
func (m *Message) Value(header string) string { return nats.Header(m.Header).Get(header) }

// AsIs is for a [Sink] of messages that are to be published as they are.
func AsIs(m Message) (Message, error) { return m, nil }
