package engine

import (
	"fmt"

	"penstock/engine/frame"
)

// streamDefinition is a stream without its type: one destination of a stage.
type streamDefinition struct {
	pipeline  *declaration
	owner     *definition
	branch    string // "" is the stage's own stream
	internal  string // name of what is no stream of a stage
	readers   []*inputDefinition
	discarded bool
	capacity  Capacity
	compress  frame.Compression
	codecName func() string
	typeName  string // of its values
}

// String is "stage" or "stage/branch".
func (s *streamDefinition) String() string {
	if s.internal != "" {
		return s.internal
	}
	owner := "?"
	if s.owner != nil {
		owner = s.owner.name
	}
	if s.branch == "" {
		return owner
	}
	return owner + "/" + s.branch
}

// message names a message of the stream for good.
func (s *streamDefinition) message(offset uint64) string {
	return fmt.Sprintf("%s.%s:%d", s.pipeline.name, s, offset)
}

// Capacity bounds a channel. When it is full its writer waits; nothing is
// dropped.
type Capacity struct {
	// Messages that the slowest reader has not taken yet. Default 1,000,000.
	Messages uint64
	// Bytes of the stage's frames that are still stored. The channel of a
	// stage and its branches is one, so the smallest bound among them
	// counts. Default 256 MiB.
	Bytes uint64
}

func (c Capacity) orDefault() Capacity {
	if c.Messages == 0 {
		c.Messages = 1_000_000
	}
	if c.Bytes == 0 {
		c.Bytes = 256 << 20
	}
	return c
}
