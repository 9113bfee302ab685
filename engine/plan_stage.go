package engine

import "fmt"

// Kind is what a stage is in the graph.
type Kind string

const (
	KindSource    Kind = "source"    // no input
	KindProcessor Kind = "processor" // reads and writes
	KindSink      Kind = "sink"      // reads, has its effect outside
)

// definition is a declared stage without its types.
type definition struct {
	pipeline   *declaration
	group      *group
	name       string
	kind       Kind
	inputs     []*inputDefinition
	timers     []timerDefinition
	setsTimers bool              // some are set by its functions
	output     *streamDefinition // nil for None
	options    options
	problems   []error
	stateCodec func() string
}

// inputDefinition is one stream as read by one stage.
type inputDefinition struct {
	index  int
	stage  *definition
	stream *streamDefinition
	keyed  bool
	batch  bool
}

func (d *definition) keyed() bool { return len(d.inputs) > 0 && d.inputs[0].keyed }

// destinations are the streams the stage writes: its own, then its branches.
func (d *definition) destinations() []*streamDefinition {
	var list []*streamDefinition
	if d.output != nil {
		list = append(list, d.output)
	}
	return append(list, d.options.branches...)
}

// destination is the place of a stream among the destinations.
func (d *definition) destination(s *streamDefinition) int {
	first := 0
	if d.output != nil {
		if d.output == s {
			return 0
		}
		first = 1
	}
	for i, branch := range d.options.branches {
		if branch == s {
			return first + i
		}
	}
	panic(fmt.Sprintf("engine: stage %s does not write %s", d.name, s))
}

// capacity is the bound of the stage's channel: the smallest of its streams'.
func (d *definition) capacity() Capacity {
	bound := Capacity{}.orDefault()
	for i, stream := range d.destinations() {
		c := stream.capacity.orDefault()
		if i == 0 {
			bound = c
			continue
		}
		bound.Messages = min(bound.Messages, c.Messages)
		bound.Bytes = min(bound.Bytes, c.Bytes)
	}
	return bound
}
