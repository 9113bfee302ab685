package engine

import (
	"time"

	"penstock/engine/frame"
)

// emission is what was said of a value that is emitted; nil: nothing.
type emission struct {
	key     string
	time    time.Time
	refused *error // where a refusal is told; nil: it fails the call
}

// emit appends an encoded value to a section of the batch.
func (t *task) emit(destination int, e *emission, data []byte) {
	b := t.batch
	b.scratch = data
	if err := t.fits(destination, e, len(data)); err != nil {
		t.refuse(destination, e, data, err)
		return
	}
	b.lock() // not before: the codec is the user's, and may hang
	defer b.unlock()
	if b.callTime == 0 {
		b.callTime = t.run.clock.Now().UnixNano()
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
