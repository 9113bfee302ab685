package observe

import (
	"encoding/json"
	"time"
)

// Message is a message as it lies in a channel.
type Message struct {
	Offset uint64          `json:"offset"`
	Key    string          `json:"key,omitempty"`
	Time   time.Time       `json:"time"`
	Bytes  int             `json:"bytes"`           // of the encoded value
	Value  json.RawMessage `json:"value,omitempty"` // as JSON; nil when it is larger than MessageBytes
}

// MessageBytes is how large a value may be that Peek gives.
const MessageBytes = 64 << 10
