package task

import (
	"math"

	"penstock/dlq"
	"penstock/engine/internal/plan"
)

// Past is the edge that a replayed message came by, where another one takes it now: of a letter of another partition,
// of one that there was before, or of another stage.
type Past struct {
	edge    plan.Edge
	settled uint64
}

// String names the edge, as it did when the message came by it.
func (p *Past) String() string { return p.edge.String() }

// ID names a message of the edge for good.
func (p *Past) ID(offset uint64) string { return p.edge.ID(offset) }

// Taken is the lowest offset that may still come by the edge for the first time.
func (p *Past) Taken() uint64 { return p.settled }

// pastOf is the edge of a letter, or nil if it is that of the input which takes its message.
func (t *Task) pastOf(l *dlq.Letter, by *Input) *Past {
	reader := t.Run.Plan.Stage(l.Stage)
	if reader == nil {
		return nil
	}
	p := &Past{edge: plan.Edge{
		Input: &plan.Input{Stage: reader, Stream: by.Input.Stream},
		From:  plan.InstanceID{Stage: by.From.Stage, Number: l.InputInstance},
		To:    plan.InstanceID{Stage: l.Stage, Number: l.Instance},
	}, settled: math.MaxUint64}
	if p.String() == by.String() {
		return nil
	}
	if in := t.Run.InstanceOf(p.edge.To); in != nil {
		for k := range in.Edges {
			if e := &in.Edges[k]; e.From == p.edge.From && e.Input.Stream == p.edge.Input.Stream {
				p.settled = in.taken(k)
			}
		}
	}
	return p
}
