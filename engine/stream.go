package engine

import (
	"context"
	"fmt"
	"reflect"

	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
)

// Stream is the typed, durable channel that one stage writes and any number
// of stages read, each at its own pace. Source and Stage return one; On and
// Sink read it. Its settings belong to the declaration and are not safe to
// change while the pipeline runs.
type Stream[T any] struct {
	definition *plan.Stream
	code       *streamCode[T]
	key        func(T) string
}

// streamCode is what the streams of one definition share.
type streamCode[T any] struct {
	codec Codec[T]
	keys  map[*plan.Stage]func(T) string // by the stages that read it by key
}

// choose finds the partition that reads a value. A key function that panics does so at the reader, too: there it is
// the failure of the message.
func (c *streamCode[T]) choose(s *task.Shuffle, value T) {
	key := c.keys[s.Reader]
	if key == nil {
		return
	}
	defer func() {
		if recover() != nil {
			s.ToFirst()
		}
	}()
	s.ByKey(key(value))
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

// WithCapacity bounds the stream; see Capacity. It returns the stream.
func (s *Stream[T]) WithCapacity(c Capacity) *Stream[T] {
	s.definition.Capacity = plan.Capacity(c)
	return s
}

// WithCodec replaces the codec of the stream's values (default: raw for
// strings, bytes, integers, floats and booleans, CBOR for everything else).
// It returns the stream. Change it only for a fresh start: what the channel
// holds was written with the old one.
func (s *Stream[T]) WithCodec(c Codec[T]) *Stream[T] {
	s.code.codec = c
	return s
}

// WithCompression compresses the frames of the stream's stage, its branches
// included, by S2. It pays for small or repetitive values; random bytes only
// cost time. It returns the stream.
func (s *Stream[T]) WithCompression() *Stream[T] {
	s.definition.Compress = frame.S2
	return s
}

// String is the stream's name: "stage", or "stage/branch".
func (s *Stream[T]) String() string { return s.definition.String() }

// KeyBy returns the stream as seen by key: a stage that reads it has one state
// per key instead of one for all. The states live in Badger and only changed
// ones travel in the frames, so that any number of keys needs bounded memory.
//
// key must be a pure function of the value.
func KeyBy[T any](in *Stream[T], key func(T) string) *Stream[T] {
	return &Stream[T]{definition: in.definition, code: in.code, key: key}
}

// Discard says that the stream has no reader and that this is intended. Its
// messages are counted and dropped at the next trim.
func Discard[T any](s *Stream[T]) { s.definition.Discarded = true }

// BranchOf is a typed sub-stream of a stage, next to the stage's own stream.
// The stage chooses for each value where it goes:
//
//	bad := engine.Branch[Bad](p, "bad")
//	good := engine.Stage(p.With(engine.Branches(bad)), "parse", engine.On(lines,
//		func(ctx context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[Good]) error {
//			good, err := parse(m.Value)
//			if err != nil {
//				bad.Emit(ctx, Bad{m.Value, err.Error()})
//				return nil
//			}
//			emit(good)
//			return nil
//		}))
//
// It is read like any Stream. The messages of all branches of a stage travel
// in the same frames and are committed together.
type BranchOf[T any] struct{ Stream[T] }

// Branch declares a branch. Give it to its stage with the option Branches.
func Branch[T any](p *Pipeline, name string) *BranchOf[T] {
	b := &BranchOf[T]{newStream[T](p)}
	b.definition.Branch = name
	if name == "" {
		p.plan.Mistake("a branch needs a name")
	}
	p.plan.Branches = append(p.plan.Branches, b.definition)
	return b
}

// Emit sends a value to the branch, as part of the call that ctx belongs to.
// It panics when ctx is not that of a call of the branch's stage: a wiring
// mistake.
func (b *BranchOf[T]) Emit(ctx context.Context, value T, options ...EmitOption) {
	in := task.TaskOf(ctx)
	if in == nil || in.Definition != b.definition.Owner {
		panic(fmt.Sprintf("engine: branch %s: Emit outside a call of its stage", b.definition))
	}
	emitTo(in, in.Definition.StreamIndex(b.definition), b.code, value, options)
}

func (b *BranchOf[T]) stream() *plan.Stream { return b.definition }

func newStream[T any](p *Pipeline) Stream[T] {
	code := &streamCode[T]{codec: DefaultCodec[T](), keys: map[*plan.Stage]func(T) string{}}
	return Stream[T]{
		definition: &plan.Stream{
			Pipeline: p.plan, CodecName: func() string { return code.codec.Name() }, TypeName: reflect.TypeFor[T]().String(),
			Decodes: func(value []byte) error {
				_, err := code.codec.Decode(value)
				return err
			},
		},
		code: code,
	}
}
