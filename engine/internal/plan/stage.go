package plan

import (
	"fmt"
	"sync/atomic"

	"penstock/engine/observe"
)

// Kind says what a stage does with messages.
type Kind = observe.Kind

const (
	KindSource    = observe.KindSource
	KindProcessor = observe.KindProcessor
	KindSink      = observe.KindSink
)

// Stage is a declared stage: what it reads and writes, and how it is run.
type Stage struct {
	Pipeline   *Pipeline
	Group      *Group
	Name       string
	Kind       Kind
	Inputs     []*Input
	Timers     []Timer
	SetsTimers bool    // some are set by its functions
	Output     *Stream // nil for None
	Stateless  bool    // its state has no room for anything
	Options    Options
	Problems   []error
	StateCodec func() string // its name

	laid atomic.Pointer[Layout] // nil: as the options say; see Lay
}

// Input is one stream as one stage reads it.
type Input struct {
	Index  int
	Stage  *Stage
	Stream *Stream
	Batch  bool
	// Key is the key of an encoded value, for a stage that has a state per key; else it is nil. It calls functions of the
	// user.
	Key func(value []byte) (string, error)
}

// Problem notes what is wrong with the declaration; Check tells it.
func (s *Stage) Problem(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Errorf(format, args...))
}

// Reads declares that the stage reads a stream, as its next input.
func (s *Stage) Reads(in *Stream, batch bool) *Input {
	input := &Input{Index: len(s.Inputs), Stage: s, Stream: in, Batch: batch}
	s.Inputs = append(s.Inputs, input)
	in.Readers = append(in.Readers, input)
	return input
}

// Keyed says whether the stage has a state for each key.
func (s *Stage) Keyed() bool { return len(s.Inputs) > 0 && s.Inputs[0].Key != nil }

// Instances are those of the stage, one for each of its partitions.
func (s *Stage) Instances() []InstanceID { return s.Layout().Instances(s.Name) }

// StopsBy is what becomes of the stage at a message, or at a value of a source, that it cannot pass.
func (s *Stage) StopsBy() Limit {
	if s.Kind == KindSource && s.Options.Unfit != nil {
		return *s.Options.Unfit
	}
	return s.Options.AtLimit
}

// Streams are those that the stage writes: its own, then its branches.
func (s *Stage) Streams() []*Stream {
	var list []*Stream
	if s.Output != nil {
		list = append(list, s.Output)
	}
	return append(list, s.Options.Branches...)
}

// StreamIndex is the place of a stream among those that the stage writes.
func (s *Stage) StreamIndex(to *Stream) int {
	first := 0
	if s.Output != nil {
		if s.Output == to {
			return 0
		}
		first = 1
	}
	for i, branch := range s.Options.Branches {
		if branch == to {
			return first + i
		}
	}
	panic(fmt.Sprintf("engine: stage %s does not write %s", s.Name, to))
}

// Capacity is the bound of the stage's channel: the smallest of its streams'.
func (s *Stage) Capacity() Capacity {
	bound := Capacity{}.orDefault()
	for i, stream := range s.Streams() {
		c := stream.Capacity.orDefault()
		if i == 0 {
			bound = c
			continue
		}
		bound.Messages = min(bound.Messages, c.Messages)
		bound.Bytes = min(bound.Bytes, c.Bytes)
	}
	return bound
}
