package engine

import (
	"time"

	"penstock/engine/internal/task"
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

// channelsOf tells of the inputs.
func channelsOf(in *task.Instance) []ChannelStatus {
	control, _ := in.Committed.Last()
	now := in.Run.Clock.Now()
	list := make([]ChannelStatus, len(in.Definition.Inputs))
	for k, i := range in.Definition.Inputs {
		producer, position := in.Producers[k], positionOf(in, k, control)
		stored, capacity := producer.Holds()
		c := ChannelStatus{
			Stream: i.Stream.String(), Writer: producer.StageName(), Reader: in.Definition.Name,
			Written: in.WrittenTo(k), Taken: position.Count(), Waiting: len(position.Waiting),
			StoredBytes: stored,
		}
		if c.Lag() > 0 {
			c.Held = in.Waiting.Heads[k].Held.Load()
			if at := in.Waiting.Heads[k].Time.Load(); at != 0 {
				c.Oldest = max(now.Sub(time.Unix(0, at)), 0)
				c.OldestSeconds = c.Oldest.Seconds()
			}
		}
		c.Fill = float64(c.Lag()) / float64(capacity.Messages)
		if !in.Phase.IsEnded() {
			c.Fill = max(c.Fill, float64(c.StoredBytes)/float64(capacity.Bytes))
		}
		list[k] = c
	}
	return list
}
