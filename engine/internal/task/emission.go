package task

import (
	"time"

	"penstock/engine/frame"
)

// Emission holds the options of one emitted value. nil: it has none.
type Emission struct {
	Key     string
	Time    time.Time
	Refused *error // where a refusal is told; nil: it fails the call
}

// Emit appends an encoded value of a stream to the sections that get it.
func (t *Task) Emit(stream int, e *Emission, data []byte) {
	b := t.Batch
	b.Scratch = data
	to := &b.outlets[stream]
	if err := t.fits(stream, e, len(data)*to.copies()); err != nil {
		t.Refuse(stream, e, data, err)
		return
	}
	b.lock() // not before: the codec is the user's, and may hang
	defer b.unlock()
	if b.callTime == 0 {
		b.callTime = t.Run.Clock.Now().UnixNano()
	}
	m := frame.Message{Time: b.callTime, Value: data}
	if e != nil {
		if e.Key != "" {
			m.Key = []byte(e.Key)
		}
		if !e.Time.IsZero() {
			m.Time = e.Time.UnixNano()
		}
	}
	if to.shared >= 0 {
		b.append(to.shared, m)
	}
	for k := range to.shuffles {
		b.append(to.shuffles[k].destination(e), m)
	}
}

func (b *batch) append(destination int, m frame.Message) {
	section := &b.sections[destination]
	before := section.Len()
	section.Append(m)
	b.Bytes += section.Len() - before
	b.Emitted++
}

// fits reports whether a value of this size can be sent. The limit on all values of a call counts only for a caller
// that is told of a refusal: it can go on without the value.
func (t *Task) fits(stream int, e *Emission, size int) error {
	if size > t.Format.Limits.value {
		return &TooLargeError{Stage: t.Definition.Name, Stream: t.Definition.Streams()[stream].String(), Size: size, Limit: t.Format.Limits.value}
	}
	if e.Tells() {
		if sum := t.Batch.callBytes() + size; sum > t.Format.Limits.value {
			return &TooLargeError{Stage: t.Definition.Name, Size: sum, Limit: t.Format.Limits.value}
		}
	}
	return nil
}

// Tells reports whether the caller is told of a refusal.
func (e *Emission) Tells() bool { return e != nil && e.Refused != nil }

// Refuse notes that a value is not sent, and tells the caller or fails the call.
func (t *Task) Refuse(stream int, e *Emission, data []byte, err error) {
	switch {
	case e.Tells():
		*e.Refused = err
	case t.Batch.CallErr != nil:
	case t.PassesUnfit():
		t.Batch.unfit.add(unfitOf(t.Definition.Streams()[stream], e, data, err))
	default:
		t.Batch.CallErr = err
	}
}
