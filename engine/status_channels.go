package engine

import (
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
	"penstock/engine/observe"
)

// channelsOf tells of the inputs of a stage.
func channelsOf(instances []*task.Instance) []observe.ChannelStatus {
	edges := map[*plan.Input][]observe.ChannelStatus{}
	for _, in := range instances {
		for k := range in.Edges {
			of := in.Edges[k].Input
			edges[of] = append(edges[of], channelOf(in, k))
		}
	}
	stage := instances[0].Definition
	list := make([]observe.ChannelStatus, len(stage.Inputs))
	for k, i := range stage.Inputs {
		if list[k] = edges[i][0]; len(edges[i]) > 1 {
			list[k] = observe.OfInstances(i.Stream.String(), i.Stream.Owner.Name, stage.Name, edges[i])
		}
	}
	return list
}

func channelOf(in *task.Instance, edge int) observe.ChannelStatus {
	control, _ := in.Committed.Last()
	e := &in.Edges[edge]
	producer, position := e.Producer, positionOf(in, edge, control)
	stored, capacity := producer.Holds()
	c := observe.ChannelStatus{
		Stream: e.Input.Stream.String(), Writer: producer.StageName(), Reader: in.StageName(),
		Written: in.WrittenTo(edge), Taken: position.Count(), Waiting: len(position.Waiting),
		StoredBytes: stored,
	}
	if c.Lag() > 0 {
		c.Held = in.Waiting.Heads[edge].Held.Load()
		if at := in.Waiting.Heads[edge].Time.Load(); at != 0 {
			c.Oldest = max(in.Run.Clock.Now().Sub(time.Unix(0, at)), 0)
			c.OldestSeconds = c.Oldest.Seconds()
		}
	}
	c.Fill = float64(c.Lag()) / float64(capacity.Messages)
	if !in.Phase.IsEnded() {
		c.Fill = max(c.Fill, float64(c.StoredBytes)/float64(capacity.Bytes))
	}
	return c
}
