package plan

import "penstock/engine/frame"

// Stream is one destination of a stage.
type Stream struct {
	Pipeline  *Pipeline
	Owner     *Stage
	Branch    string // "" is the stage's own stream
	Internal  string // name of what is no stream of a stage
	Readers   []*Input
	Discarded bool
	Capacity  Capacity
	Compress  frame.Compression
	CodecName func() string
	// Decodes says why the stream's codec cannot read a value: nil if it can. It calls functions of the user.
	Decodes  func(value []byte) error
	TypeName string // of its values
}

// String is "stage" or "stage/branch".
func (s *Stream) String() string {
	if s.Internal != "" {
		return s.Internal
	}
	owner := "?"
	if s.Owner != nil {
		owner = s.Owner.Name
	}
	if s.Branch == "" {
		return owner
	}
	return owner + "/" + s.Branch
}

// Capacity bounds a channel; engine.Capacity documents it.
type Capacity struct {
	Messages uint64
	Bytes    uint64
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
