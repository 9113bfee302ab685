package state

import (
	"bytes"
	"fmt"
	"reflect"

	"penstock/engine/frame"
	"penstock/engine/internal/view"
	"penstock/engine/supervise"
)

var (
	_ Keeper = (*Whole[int])(nil)
	_ Keeper = (*Keyed[int])(nil)
)

// Codec writes the states of a stage; see Codec.
type Codec[S any] interface {
	Append(dst []byte, value S) ([]byte, error)
	Decode(data []byte) (S, error)
	Name() string
}

// alwaysCarried is the size up to which a state travels in every frame, so
// that the last frame alone is enough to resume from.
const alwaysCarried = 4 << 10

// Whole is the one state of an unkeyed stage.
type Whole[S any] struct {
	codec  Codec[S]
	plain  bool // a copy of S shares nothing with it
	Value  S
	marked S
	last   []byte // bytes of the last collect

	prepared  []byte // of the next boundary
	edge      S      // the value at the last boundary
	edgeBytes []byte
	hasEdge   bool
	refused   bool // the codec refused an edge: each is encoded by prepare
}

func NewWhole[S any](codec Codec[S]) *Whole[S] {
	return &Whole[S]{codec: codec, plain: isPlain(reflect.TypeFor[S]())}
}

func (w *Whole[S]) Get() *S { return &w.Value }

func (w *Whole[S]) Collect() (frame.State, error) {
	data, err := w.encode()
	if err != nil {
		w.refused = true
		return frame.State{}, err
	}
	if len(data) > alwaysCarried && bytes.Equal(data, w.last) {
		return frame.State{Kind: frame.StateAbsent}, nil
	}
	w.last = data
	return frame.State{Kind: frame.StateWhole, Whole: data}, nil
}

func (w *Whole[S]) encode() ([]byte, error) {
	switch {
	case !w.hasEdge:
		return w.bytes(w.Value)
	case w.plain:
		return w.bytes(w.edge)
	}
	return w.edgeBytes, nil
}

func (w *Whole[S]) bytes(value S) ([]byte, error) {
	data, err := w.codec.Append(nil, value)
	if err != nil {
		return nil, fmt.Errorf("encode the state as %s: %w", w.codec.Name(), err)
	}
	return data, nil
}

func (w *Whole[S]) Check() error {
	_, err := w.bytes(w.Value)
	return err
}

func (w *Whole[S]) CheckBefore(c *view.View) error {
	data, found := c.Whole()
	return checkAgain(w.codec, data, found)
}

// checkAgain encodes a state that was committed, or the zero one.
func checkAgain[S any](codec Codec[S], data []byte, found bool) (err error) {
	var value S
	if found {
		if value, err = codec.Decode(data); err != nil {
			return err
		}
	}
	_, err = codec.Append(nil, value)
	return err
}

func (w *Whole[S]) Prepare() (err error) {
	if !w.plain || w.refused {
		w.prepared, err = w.bytes(w.Value)
	}
	return err
}

func (w *Whole[S]) Boundary() {
	w.hasEdge = true
	if w.plain {
		w.edge = w.Value
		return
	}
	w.edgeBytes = w.prepared
}

func (w *Whole[S]) ToBoundary() error {
	if w.plain {
		w.Value = w.edge
		return nil
	}
	value, err := w.codec.Decode(w.edgeBytes)
	if err == nil {
		w.Value = value
	}
	return err
}

func (w *Whole[S]) Save() (restore func() error) {
	if w.plain {
		saved := w.Value
		return func() error { w.Value = saved; return nil }
	}
	var saved []byte
	failed := supervise.Contain(func() (err error) {
		saved, err = w.codec.Append(nil, w.Value)
		return err
	})
	return func() error {
		if failed != nil {
			return failed
		}
		value, err := w.codec.Decode(saved)
		if err == nil {
			w.Value = value
		}
		return err
	}
}

func (w *Whole[S]) Rollback(c *view.View) error {
	var zero S
	w.Value, w.hasEdge = zero, false
	data, found := c.Whole()
	w.last = data
	if !found {
		return nil
	}
	value, err := w.codec.Decode(data)
	if err != nil {
		return fmt.Errorf("the committed state of stage %s cannot be decoded as %s: %w (was its type changed? convert it with engine.Migrated, give the old type back, or start with a fresh directory)", c.Stage, w.codec.Name(), err)
	}
	w.Value = value
	return nil
}

func (w *Whole[S]) Mark() {
	if w.plain {
		w.marked = w.Value
	}
}

func (w *Whole[S]) Undo() bool {
	if w.plain {
		w.Value = w.marked
	}
	return w.plain
}

// isPlain says whether a copy of a value shares no memory that could change.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return false
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !isPlain(t.Field(i).Type) {
				return false
			}
		}
	}
	return true
}
