package engine

import (
	"penstock/engine/internal/plan"
	"penstock/engine/observe"
)

// Graph returns what the pipeline is made of. It needs no run. Safe for
// concurrent use, once all is declared.
func (p *Pipeline) Graph() observe.Graph {
	g := observe.Graph{Pipeline: p.plan.Name, Hash: p.plan.Hash()}
	for _, group := range p.plan.Groups {
		g.Groups = append(g.Groups, observe.GraphGroup{Name: group.Name, Group: group.Parent.Path(), Strategy: group.Settings.Strategy.String()})
	}
	order := p.plan.Order()
	for _, d := range order {
		stage := observe.GraphStage{Name: d.Name, Kind: d.Kind, Group: d.Group.Path(), Keyed: d.Keyed()}
		if n := d.Width(); n > 1 {
			stage.Partitions = n
		}
		g.Stages = append(g.Stages, stage)
	}
	for _, d := range order {
		for _, i := range d.Inputs {
			g.Channels = append(g.Channels, graphChannel(i.Stream, d.Name))
		}
		for _, stream := range d.Streams() {
			if len(stream.Readers) == 0 {
				g.Channels = append(g.Channels, graphChannel(stream, ""))
			}
		}
	}
	return g
}

func graphChannel(s *plan.Stream, reader string) observe.GraphChannel {
	capacity := s.Owner.Capacity()
	return observe.GraphChannel{
		Stream: s.String(), Writer: s.Owner.Name, Reader: reader, Type: s.TypeName,
		CapacityMessages: capacity.Messages, CapacityBytes: capacity.Bytes,
	}
}
