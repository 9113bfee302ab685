package engine

import (
	"context"
	"fmt"

	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// Try emits a value like the Emit itself, but tells when it cannot be sent, and
// the call does not fail then: an EncodeError or another error of the codec, a
// panic of it, or a TooLargeError when the value, or it and what the call has
// emitted before together, does not fit into one message of the server. The
// function may emit something else, return what it has and go on in its next
// call, or give up with the error.
func (e Emit[T]) Try(value T, options ...EmitOption) (err error) {
	e(value, append(options[:len(options):len(options)], refusedTo(&err))...)
	return err
}

// TryEmit is Emit that tells when the value cannot be sent: see Emit.Try.
func (b *BranchOf[T]) TryEmit(ctx context.Context, value T, options ...EmitOption) (err error) {
	b.Emit(ctx, value, append(options[:len(options):len(options)], refusedTo(&err))...)
	return err
}

// refusedTo has the caller told that a value cannot be sent.
func refusedTo(err *error) EmitOption { return func(e *task.Emission) { e.Refused = err } }

func emissionOf(options []EmitOption) *task.Emission {
	if len(options) == 0 {
		return nil
	}
	var e task.Emission
	for _, option := range options {
		option(&e)
	}
	return &e
}

// emitTo encodes a value of one of the stage's streams and gives it to the batch.
func emitTo[T any](in *task.Task, stream int, code *streamCode[T], value T, options []EmitOption) {
	e := emissionOf(options)
	if in.Batch.CallErr != nil {
		in.Refuse(stream, e, nil, in.Batch.CallErr)
		return
	}
	data, err := encodeValue(in, code.codec, value, e)
	if err != nil {
		in.Refuse(stream, e, nil, fmt.Errorf("stage %s: encode a value for %s as %s: %w", in.Definition.Name, in.Definition.Streams()[stream], code.codec.Name(), supervise.Sound(err)))
		return
	}
	shuffles := in.Shuffles(stream)
	for k := range shuffles {
		code.choose(&shuffles[k], value)
	}
	in.Emit(stream, e, data)
}

// encodeValue contains a panic of the codec where it is not the call's failure.
func encodeValue[T any](in *task.Task, codec Codec[T], value T, e *task.Emission) ([]byte, error) {
	if e.Tells() || in.PassesUnfit() {
		return encodeContained(codec, in.Batch.Scratch[:0], value)
	}
	return codec.Append(in.Batch.Scratch[:0], value)
}

func encodeContained[T any](codec Codec[T], dst []byte, value T) (data []byte, err error) {
	err = supervise.Contain(func() (err error) {
		data, err = codec.Append(dst, value)
		return err
	})
	return data, err
}
