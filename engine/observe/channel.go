package observe

import (
	"time"
)

// ChannelStatus is how far a stage has read what another one writes.
type ChannelStatus struct {
	Stream  string `json:"stream"` // "stage" or "stage/branch"
	Writer  string `json:"writer"`
	Reader  string `json:"reader"`
	Written uint64 `json:"written"`           // messages committed by the writer
	Taken   uint64 `json:"taken"`             // of these, by the reader
	Waiting int    `json:"waiting,omitempty"` // messages that others have overtaken, see AttemptDelay
	Held    bool   `json:"held,omitempty"`    // the next message was answered with Hold or Snooze

	// Oldest is how long ago that happened which the next message is about; 0
	// when none waits.
	Oldest        time.Duration `json:"-"`
	OldestSeconds float64       `json:"oldest_seconds"` // the same

	// Fill is how full the writer's channel is for this reader, from 0 to 1: the
	// larger share of Capacity.Messages and Capacity.Bytes.
	Fill        float64 `json:"fill"`
	StoredBytes int64   `json:"stored_bytes"` // of all that the writer wrote and the channel still has, about
}

// Lag is how many messages wait for the reader.
func (c ChannelStatus) Lag() uint64 {
	if c.Taken > c.Written {
		return 0
	}
	return c.Written - c.Taken
}
