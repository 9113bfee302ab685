package task

import (
	"penstock/dlq"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
)

// Edge is one input of an instance as it runs: what one instance of another stage writes for it.
type Edge struct {
	plan.Edge
	Producer    peer
	destination int    // of the producer
	name        string // see plan.Edge.String
}

func (e *Edge) String() string { return e.name }

func (e *Edge) written() uint64 { return e.Producer.written(e.destination) }

// IsOf says whether a position is the edge's.
func (e *Edge) IsOf(p *frame.Position) bool {
	return p.Stream == e.Input.Stream.String() && int(p.Instance) == e.From.Number
}

// Position is that of the edge among others; without one it is at the start.
func (e *Edge) Position(list []frame.Position) frame.Position {
	for k := range list {
		if e.IsOf(&list[k]) {
			return list[k]
		}
	}
	return frame.Position{Stream: e.Input.Stream.String(), Instance: uint32(e.From.Number)}
}

// OriginOf is the input that a letter's message came by, or one of its stream, or nil.
func (t *Task) OriginOf(l *dlq.Letter) (found *Input) {
	for _, i := range t.Inbox.Inputs {
		if i.Input.Stream.String() != l.Input {
			continue
		}
		if i.From.Number == l.InputInstance {
			return i
		}
		if found == nil {
			found = i
		}
	}
	return found
}

// connect makes the edges of an instance, whose producers have been added.
func (r *Run) connect(in *Instance) {
	for k, e := range in.Definition.Edges(in.ID) {
		producer := r.InstanceOf(e.From)
		in.Edges = append(in.Edges, Edge{e, producer, e.Destination(), e.String()})
		producer.readers = append(producer.readers, reader{in, k, e.Destination()})
	}
}

// replayEdge stands for the replays of an instance among its edges.
func replayEdge(d *plan.Stage, id plan.InstanceID) Edge {
	input := &plan.Input{Index: -1, Stage: d, Stream: &plan.Stream{Pipeline: d.Pipeline, Internal: plan.ReplayStream}}
	return Edge{Edge: plan.Edge{Input: input, To: id}, name: plan.ReplayStream}
}
