package engine

import (
	"bytes"
	"fmt"
	"reflect"

	"penstock/engine/frame"
	"penstock/engine/internal/view"
	"penstock/engine/supervise"
)

// stateKeeper is the state of one instance while it runs: one value, or one
// per key. What is committed lives in committed; this is what is being worked
// on since.
type stateKeeper interface {
	// collect says in a frame what changed since the last collect.
	collect() (frame.State, error)
	// rollback returns to what is committed.
	rollback(c *view.View) error
	// mark remembers the state before a call, and undo returns to it.
	// undo says false when it cannot: then only rollback helps.
	mark()
	undo() bool
	// check says whether collect could write what the call at hand left, and
	// checkBefore whether it could write what is committed.
	check() error
	checkBefore(c *view.View) error
	// boundary remembers the state between two calls of a source, whose
	// next call may already change it while the last one is committed.
	// prepare does what takes the user's codec, before.
	prepare() error
	boundary()
	// toBoundary returns to it.
	toBoundary() error
	// save remembers the state before a hook, and restore returns to it.
	save() (restore func() error)
}

var (
	_ stateKeeper = (*wholeState[int])(nil)
	_ stateKeeper = (*keyedState[int])(nil)
)

// stateCodec writes the states of a stage; see Codec.
type stateCodec[S any] interface {
	Append(dst []byte, value S) ([]byte, error)
	Decode(data []byte) (S, error)
	Name() string
}

// alwaysCarried is the size up to which a state travels in every frame, so
// that the last frame alone is enough to resume from.
const alwaysCarried = 4 << 10

// wholeState is the one state of an unkeyed stage.
type wholeState[S any] struct {
	codec  stateCodec[S]
	plain  bool // a copy of S shares nothing with it
	value  S
	marked S
	last   []byte // bytes of the last collect

	prepared  []byte // of the next boundary
	edge      S      // the value at the last boundary
	edgeBytes []byte
	hasEdge   bool
	refused   bool // the codec refused an edge: each is encoded by prepare
}

func newWholeState[S any](codec stateCodec[S]) *wholeState[S] {
	return &wholeState[S]{codec: codec, plain: isPlain(reflect.TypeFor[S]())}
}

func (w *wholeState[S]) get() *S { return &w.value }

func (w *wholeState[S]) collect() (frame.State, error) {
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

func (w *wholeState[S]) encode() ([]byte, error) {
	switch {
	case !w.hasEdge:
		return w.bytes(w.value)
	case w.plain:
		return w.bytes(w.edge)
	}
	return w.edgeBytes, nil
}

func (w *wholeState[S]) bytes(value S) ([]byte, error) {
	data, err := w.codec.Append(nil, value)
	if err != nil {
		return nil, fmt.Errorf("encode the state as %s: %w", w.codec.Name(), err)
	}
	return data, nil
}

func (w *wholeState[S]) check() error {
	_, err := w.bytes(w.value)
	return err
}

func (w *wholeState[S]) checkBefore(c *view.View) error {
	data, found := c.Whole()
	return checkAgain(w.codec, data, found)
}

// checkAgain encodes a state that was committed, or the zero one.
func checkAgain[S any](codec stateCodec[S], data []byte, found bool) (err error) {
	var value S
	if found {
		if value, err = codec.Decode(data); err != nil {
			return err
		}
	}
	_, err = codec.Append(nil, value)
	return err
}

func (w *wholeState[S]) prepare() (err error) {
	if !w.plain || w.refused {
		w.prepared, err = w.bytes(w.value)
	}
	return err
}

func (w *wholeState[S]) boundary() {
	w.hasEdge = true
	if w.plain {
		w.edge = w.value
		return
	}
	w.edgeBytes = w.prepared
}

func (w *wholeState[S]) toBoundary() error {
	if w.plain {
		w.value = w.edge
		return nil
	}
	value, err := w.codec.Decode(w.edgeBytes)
	if err == nil {
		w.value = value
	}
	return err
}

func (w *wholeState[S]) save() (restore func() error) {
	if w.plain {
		saved := w.value
		return func() error { w.value = saved; return nil }
	}
	var saved []byte
	failed := supervise.Contain(func() (err error) {
		saved, err = w.codec.Append(nil, w.value)
		return err
	})
	return func() error {
		if failed != nil {
			return failed
		}
		value, err := w.codec.Decode(saved)
		if err == nil {
			w.value = value
		}
		return err
	}
}

func (w *wholeState[S]) rollback(c *view.View) error {
	var zero S
	w.value, w.hasEdge = zero, false
	data, found := c.Whole()
	w.last = data
	if !found {
		return nil
	}
	value, err := w.codec.Decode(data)
	if err != nil {
		return fmt.Errorf("the committed state of stage %s cannot be decoded as %s: %w (was its type changed? convert it with engine.Migrated, give the old type back, or start with a fresh directory)", c.Stage, w.codec.Name(), err)
	}
	w.value = value
	return nil
}

func (w *wholeState[S]) mark() {
	if w.plain {
		w.marked = w.value
	}
}

func (w *wholeState[S]) undo() bool {
	if w.plain {
		w.value = w.marked
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
