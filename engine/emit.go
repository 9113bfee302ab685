package engine

import (
	"context"
	"fmt"

	"penstock/engine/frame"
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
func refusedTo(err *error) EmitOption { return func(e *emission) { e.refused = err } }

func emissionOf(options []EmitOption) *emission {
	if len(options) == 0 {
		return nil
	}
	var e emission
	for _, option := range options {
		option(&e)
	}
	return &e
}

// emitTo encodes a value and appends it to a section of the batch.
func emitTo[T any](in *task, destination int, codec Codec[T], value T, options []EmitOption) {
	b, e := in.batch, emissionOf(options)
	if b.callErr != nil {
		in.refuse(destination, e, nil, b.callErr)
		return
	}
	data, err := encodeValue(in, codec, value, e)
	if err != nil {
		in.refuse(destination, e, nil, fmt.Errorf("stage %s: encode a value for %s as %s: %w", in.definition.Name, in.definition.Destinations()[destination], codec.Name(), err))
		return
	}
	b.scratch = data
	if err := in.fits(destination, e, len(data)); err != nil {
		in.refuse(destination, e, data, err)
		return
	}
	b.lock() // not before: the codec is the user's, and may hang
	defer b.unlock()
	if b.callTime == 0 {
		b.callTime = in.run.clock.Now().UnixNano()
	}
	m := frame.Message{Time: b.callTime, Value: data}
	if e != nil {
		if e.key != "" {
			m.Key = []byte(e.key)
		}
		if !e.time.IsZero() {
			m.Time = e.time.UnixNano()
		}
	}
	section := &b.sections[destination]
	before := section.Len()
	section.Append(m)
	b.bytes += section.Len() - before
	b.emitted++
}

// encodeValue contains a panic of the codec where it is not the call's failure.
func encodeValue[T any](in *task, codec Codec[T], value T, e *emission) ([]byte, error) {
	if e.tells() || in.passesUnfit() {
		return encodeContained(codec, in.batch.scratch[:0], value)
	}
	return codec.Append(in.batch.scratch[:0], value)
}

func encodeContained[T any](codec Codec[T], dst []byte, value T) (data []byte, err error) {
	err = supervise.Contain(func() (err error) {
		data, err = codec.Append(dst, value)
		return err
	})
	return data, err
}

// fits says whether a value of that size can be sent. Only who is told so is
// told of the sum of a call: it may be committed without the value.
func (t *task) fits(destination int, e *emission, size int) error {
	if size > t.format.limits.value {
		return &TooLargeError{Stage: t.definition.Name, Stream: t.definition.Destinations()[destination].String(), Size: size, Limit: t.format.limits.value}
	}
	if e.tells() {
		if sum := t.batch.callBytes() + size; sum > t.format.limits.value {
			return &TooLargeError{Stage: t.definition.Name, Size: sum, Limit: t.format.limits.value}
		}
	}
	return nil
}

// tells says that the caller is told of a refusal.
func (e *emission) tells() bool { return e != nil && e.refused != nil }

// refuse says that a value is not sent.
func (t *task) refuse(destination int, e *emission, data []byte, err error) {
	switch {
	case e.tells():
		*e.refused = err
	case t.batch.callErr != nil:
	case t.passesUnfit():
		t.batch.unfit.add(unfitOf(t.definition.Destinations()[destination], e, data, err))
	default:
		t.batch.callErr = err
	}
}

// TooLargeError says that a stage emitted more at once than the server takes
// in one message.
type TooLargeError struct {
	Stage  string
	Stream string // "" for the outputs of one call together, and the state
	Size   int
	State  int    // bytes of Size that are state
	Key    string // whose state it is, in a keyed stage
	Limit  int
}

func (e *TooLargeError) Error() string {
	if e.Stream != "" {
		return fmt.Sprintf("stage %s emitted a value of %d bytes to %s, more than the %d bytes that fit into one message of the server: "+
			"emit less at once, or raise the server's max_payload", e.Stage, e.Size, e.Stream, e.Limit)
	}
	whose := ""
	if e.Key != "" {
		whose = fmt.Sprintf(" of key %.100q", e.Key)
	}
	return fmt.Sprintf("stage %s made in one call %d bytes of outputs and %d of state%s, more than the %d bytes that fit into one message of the server: "+
		"emit less at once, keep less in the state, or raise the server's max_payload", e.Stage, e.Size-e.State, e.State, whose, e.Limit)
}
