package engine

import (
	"time"

	"penstock/engine/internal/task"
	"penstock/engine/observe"
)

// channelsOf tells of the inputs.
func channelsOf(in *task.Instance) []observe.ChannelStatus {
	control, _ := in.Committed.Last()
	now := in.Run.Clock.Now()
	list := make([]observe.ChannelStatus, len(in.Edges))
	for k := range in.Edges {
		e := &in.Edges[k]
		producer, position := e.Producer, positionOf(in, k, control)
		stored, capacity := producer.Holds()
		c := observe.ChannelStatus{
			Stream: e.Input.Stream.String(), Writer: producer.StageName(), Reader: in.StageName(),
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
