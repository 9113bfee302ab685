package engine

import (
	"fmt"
	"reflect"

	"penstock/checkpoint"
	"penstock/engine/frame"
)

// keyedState is the state of a keyed stage: one S per key. Two generations of
// decoded states stay in memory; every other key is read from the committed
// view (not yet checkpointed changes, then Badger) when it comes up.
type keyedState[S any] struct {
	codec   Codec[S]
	session *session
	plain   bool
	limit   int // of one generation
	hot     map[string]*keyState[S]
	cold    map[string]*keyState[S]
	touched []*keyState[S] // since the last collect
	batch   uint64
	current *keyState[S]
	marked  keyState[S]

	offered      string // key whose committed bytes are known
	offeredBytes []byte
}

type keyState[S any] struct {
	key     string
	value   S
	batch   uint64 // in which it was last touched
	deleted bool
}

func newKeyedState[S any](codec Codec[S], in *session, limit int) *keyedState[S] {
	return &keyedState[S]{
		codec:   codec,
		session: in,
		plain:   isPlain(reflect.TypeFor[S]()),
		limit:   max(limit/2, 1),
		hot:     map[string]*keyState[S]{},
		batch:   1,
	}
}

// get returns the state of a key for a call that may change it.
func (k *keyedState[S]) get(key string) (*S, error) {
	state := k.hot[key]
	if state == nil {
		var err error
		if state, err = k.load(key); err != nil {
			return nil, err
		}
		k.hot[key] = state
	}
	if k.current != state { // a hook may ask twice
		k.marked = *state
		k.current = state
	}
	state.deleted = false
	if state.batch != k.batch {
		state.batch = k.batch
		k.touched = append(k.touched, state)
	}
	k.session.key = state.key
	k.session.watch.stateOf(&state.key)
	return &state.value, nil
}

func (k *keyedState[S]) load(key string) (*keyState[S], error) {
	if state := k.cold[key]; state != nil {
		return state, nil
	}
	if len(key) > checkpoint.MaxKey {
		return nil, Reject(fmt.Errorf("its key has %d bytes, more than the %d that a state can be kept under", len(key), checkpoint.MaxKey))
	}
	state := &keyState[S]{key: key}
	data, found, err := k.offeredBytes, true, error(nil)
	if data == nil || k.offered != key {
		data, found, err = k.session.committed.key(key)
	}
	k.offeredBytes = nil
	if err != nil {
		return nil, Fatal(fmt.Errorf("read the state of key %q: %w", key, err))
	}
	if !found {
		return state, nil
	}
	if state.value, err = k.codec.Decode(data); err != nil {
		return nil, Fatal(fmt.Errorf("the committed state of key %q cannot be decoded as %s: %w (was its type changed? convert it with engine.Migrated, give the old type back, or start with a fresh directory)", key, k.codec.Name(), err))
	}
	return state, nil
}

// offer gives the committed bytes of the key that is asked for next, where
// they are at hand anyway.
func (k *keyedState[S]) offer(key string, value []byte) {
	k.offered, k.offeredBytes = key, value
}

// forget deletes the state of the key at hand.
func (k *keyedState[S]) forget() {
	if k.current != nil {
		var zero S
		k.current.value, k.current.deleted = zero, true
	}
}

func (k *keyedState[S]) collect() (frame.State, error) {
	if len(k.touched) == 0 {
		return frame.State{Kind: frame.StateAbsent}, nil
	}
	changes := make([]frame.Change, 0, len(k.touched))
	var block []byte
	for _, state := range k.touched {
		change := frame.Change{Key: state.key, Deleted: state.deleted}
		if !state.deleted {
			start := len(block)
			var err error
			if block, err = k.codec.Append(block, state.value); err != nil {
				return frame.State{}, fmt.Errorf("encode the state of key %q as %s: %w", state.key, k.codec.Name(), err)
			}
			change.Value = block[start:len(block):len(block)]
		}
		changes = append(changes, change)
	}
	k.touched = k.touched[:0]
	k.batch++
	k.rotate()
	return frame.State{Kind: frame.StateKeyed, Changes: changes}, nil
}

// rotate drops the older generation when the newer one is full. It runs right
// after a collect: what is dropped is in the frame, and through it in the
// committed view, so that it can be loaded again.
func (k *keyedState[S]) rotate() {
	if len(k.hot) >= k.limit {
		k.cold, k.hot = k.hot, make(map[string]*keyState[S], k.limit)
	}
}

func (k *keyedState[S]) rollback(*committed) error {
	clear(k.hot)
	clear(k.cold)
	k.touched = k.touched[:0]
	k.current = nil
	k.batch++
	return nil
}

func (k *keyedState[S]) mark() { k.current = nil }

// undo puts the state of the call's key back. Where a copy is not enough that is
// what is committed, unless an earlier call of this batch has changed it.
func (k *keyedState[S]) undo() bool {
	state := k.current
	if state == nil {
		return true
	}
	isFirst := k.marked.batch != state.batch
	if !k.plain && !isFirst {
		return false
	}
	k.current = nil
	if isFirst {
		k.touched = k.touched[:len(k.touched)-1]
	}
	*state = k.marked
	if !k.plain {
		delete(k.hot, state.key)
		delete(k.cold, state.key)
	}
	return true
}

func (k *keyedState[S]) prepare() error { return nil }

func (k *keyedState[S]) boundary() {}
