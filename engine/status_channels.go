package engine

import "time"

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
func channelsOf(in *instance) []ChannelStatus {
	control, _ := in.committed.Last()
	now := in.run.clock.Now()
	list := make([]ChannelStatus, len(in.definition.Inputs))
	for k, i := range in.definition.Inputs {
		producer, position := in.producers[k], positionOf(in, k, control)
		stored, capacity := producer.holds()
		c := ChannelStatus{
			Stream: i.Stream.String(), Writer: producer.stageName(), Reader: in.definition.Name,
			Written: in.writtenTo(k), Taken: position.Count(), Waiting: len(position.Waiting),
			StoredBytes: stored,
		}
		if c.Lag() > 0 {
			c.Held = in.waiting.heads[k].held.Load()
			if at := in.waiting.heads[k].time.Load(); at != 0 {
				c.Oldest = max(now.Sub(time.Unix(0, at)), 0)
				c.OldestSeconds = c.Oldest.Seconds()
			}
		}
		c.Fill = float64(c.Lag()) / float64(capacity.Messages)
		if !in.phase.isEnded() {
			c.Fill = max(c.Fill, float64(c.StoredBytes)/float64(capacity.Bytes))
		}
		list[k] = c
	}
	return list
}
