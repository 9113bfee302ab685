package state

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"

	"penstock/checkpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/view"
)

// Keyed is the state of a keyed stage: one S per key. Two generations of
// decoded states stay in memory; every other key is read from the committed
// view (not yet checkpointed changes, then the store) when it comes up.
type Keyed[S any] struct {
	codec   Codec[S]
	view    *view.View
	use     func(key *string) // told of the key whose state is asked for
	plain   bool
	limit   int // keys of one generation; 0: no such bound
	memory  int // bytes of one generation; 0: no such bound
	hot     *keyTable[S]
	cold    *keyTable[S]
	touched []*keyState[S] // since the last collect
	batch   uint64
	changes []frame.Change // of the last collect, and the states in them: their memory is used again
	block   []byte
	hasAll  bool            // a key that is in neither generation has no state
	lost    map[string]bool // keys of the commit under way that may be in neither
	current *keyState[S]
	marked  keyState[S]

	offered      string // key whose committed bytes are known
	offeredBytes []byte
}

func NewKeyed[S any](codec Codec[S], committed *view.View, bounds Bounds, use func(key *string)) *Keyed[S] {
	k := &Keyed[S]{
		codec: codec,
		view:  committed,
		use:   use,
		plain: isPlain(reflect.TypeFor[S]()),
		hot:   &keyTable[S]{},
		cold:  &keyTable[S]{},
		batch: 1,
		lost:  map[string]bool{},
	}
	if bounds.Keys > 0 {
		k.limit = max(bounds.Keys/2, 1)
	}
	if bounds.Memory > 0 || bounds.Keys == 0 {
		k.memory = max(cmp.Or(bounds.Memory, defaultKeyMemory)/2, 1)
	}
	return k
}

// defaultKeyMemory is what decoded states of keys take, in bytes, unless a stage says otherwise.
const defaultKeyMemory = 128 << 20

// KeyTooLongError says that no state can be kept under a key.
type KeyTooLongError struct{ size int }

func (e *KeyTooLongError) Error() string {
	return fmt.Sprintf("its key has %d bytes, more than the %d that a state can be kept under", e.size, checkpoint.MaxKey)
}

// Get returns the state of a key for a call that may change it.
func (k *Keyed[S]) Get(key string) (*S, error) {
	hash := hashKey(key)
	state := k.hot.find(key, hash)
	if state == nil || state.gone {
		var err error
		if state, err = k.load(key, hash); err != nil {
			return nil, err
		}
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
	k.use(&state.key)
	return &state.value, nil
}

// load brings the state of a key into the newer generation.
func (k *Keyed[S]) load(key string, hash uint32) (*keyState[S], error) {
	if old := k.cold.find(key, hash); old != nil && !old.gone {
		state := k.hot.add(key, hash)
		state.value, state.batch, state.deleted = old.value, old.batch, old.deleted
		k.hot.weigh(state, int(old.weight))
		return state, nil
	}
	if len(key) > checkpoint.MaxKey {
		return nil, &KeyTooLongError{len(key)}
	}
	data, found, err := k.read(key)
	if err != nil {
		return nil, fmt.Errorf("read the state of key %q: %w", key, err)
	}
	if !found {
		return k.hot.add(key, hash), nil
	}
	value, err := k.codec.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("the committed state of key %q cannot be decoded as %s: %w (was its type changed? convert it with engine.Migrated, give the old type back, or start with a fresh directory)", key, k.codec.Name(), err)
	}
	state := k.hot.add(key, hash)
	state.value = value
	k.weigh(state, len(data))
	return state, nil
}

// read returns the bytes of a key that is not in memory.
func (k *Keyed[S]) read(key string) (data []byte, found bool, err error) {
	data = k.offeredBytes
	k.offeredBytes = nil
	switch {
	case data != nil && k.offered == key:
		return data, true, nil
	case k.hasAll:
		return nil, false, nil
	case k.lost[key]:
		return k.view.Key(key)
	}
	return k.view.SettledKey(key)
}

// weigh estimates what a value takes beside its struct.
func (k *Keyed[S]) weigh(state *keyState[S], encoded int) {
	if !k.plain {
		k.hot.weigh(state, decodedTimes*encoded)
	}
}

// decodedTimes is how much more memory a value with pointers takes than its
// encoding, roughly.
const decodedTimes = 3

// Offer gives the committed bytes of the key that is asked for next, where
// they are at hand anyway.
func (k *Keyed[S]) Offer(key string, value []byte) {
	k.offered, k.offeredBytes = key, value
}

// Forget deletes the state of the key at hand.
func (k *Keyed[S]) Forget() {
	if k.current != nil {
		var zero S
		k.current.value, k.current.deleted = zero, true
	}
}

// Collect uses the memory of the last one: the commit before is settled.
func (k *Keyed[S]) Collect() (frame.State, error) {
	if len(k.touched) == 0 {
		return frame.State{Kind: frame.StateAbsent}, nil
	}
	changes, block := k.changes[:0], k.block[:0]
	for _, state := range k.touched {
		change := frame.Change{Key: state.key, Deleted: state.deleted}
		if !state.deleted {
			start := len(block)
			var err error
			if block, err = k.append(block, state); err != nil {
				return frame.State{}, err
			}
			change.Value = block[start:len(block):len(block)]
			k.weigh(state, len(change.Value))
		}
		changes = append(changes, change)
	}
	k.touched = k.touched[:0]
	k.changes, k.block = changes, block
	if cap(block) > mostSpare {
		k.block = nil
	}
	k.batch++
	clear(k.lost)
	k.rotate()
	return frame.State{Kind: frame.StateKeyed, Changes: changes}, nil
}

func (k *Keyed[S]) append(block []byte, state *keyState[S]) ([]byte, error) {
	data, err := k.codec.Append(block, state.value)
	if err != nil {
		return block, fmt.Errorf("encode the state of key %q as %s: %w", state.key, k.codec.Name(), err)
	}
	return data, nil
}

func (k *Keyed[S]) Check() error {
	if k.current == nil || k.current.deleted {
		return nil
	}
	_, err := k.append(nil, k.current)
	return err
}

func (k *Keyed[S]) CheckBefore(c *view.View) error {
	if k.current == nil {
		return nil
	}
	data, found, err := c.SettledKey(k.current.key)
	if err != nil {
		return err
	}
	return checkAgain(k.codec, data, found)
}

// mostSpare is the most memory that is kept to be used again.
const mostSpare = 1 << 20

// rotate drops the older generation when the newer one is full. It runs right
// after a collect: what is dropped is in the frame, and through it in the
// committed view, so that it can be loaded again. What that frame changed is in
// the generation that becomes the older one, and stays until the frame after it.
func (k *Keyed[S]) rotate() {
	if (k.limit == 0 || k.hot.count < k.limit) && (k.memory == 0 || k.hot.bytes < k.memory) {
		return
	}
	k.hasAll = k.hasAll && k.cold.count == 0
	k.cold, k.hot = k.hot, &keyTable[S]{}
	k.current = nil
}

func (k *Keyed[S]) Rollback(c *view.View) error {
	k.hot, k.cold = &keyTable[S]{}, &keyTable[S]{}
	k.touched = k.touched[:0]
	k.current = nil
	k.batch++
	k.hasAll = c.IsBlank()
	clear(k.lost)
	return nil
}

func (k *Keyed[S]) Mark() { k.current = nil }

// Undo puts the state of the call's key back. Where a copy is not enough that is
// what is committed, unless an earlier call of this batch has changed it.
func (k *Keyed[S]) Undo() bool {
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
	weight := state.weight
	*state = k.marked
	state.weight = weight
	if !k.plain {
		k.drop(state)
	}
	return true
}

// drop makes a key be read again when it comes up.
func (k *Keyed[S]) drop(state *keyState[S]) {
	var zero S
	state.value, state.gone = zero, true
	if old := k.cold.find(state.key, hashKey(state.key)); old != nil {
		old.value, old.gone = zero, true
	}
	k.hasAll = false
	k.lost[state.key] = true
}

func (k *Keyed[S]) Prepare() error { return nil }

func (k *Keyed[S]) Boundary() {}

func (k *Keyed[S]) ToBoundary() error { return nil }

// Save is for the end hook, which has one key at hand; the others have none.
func (k *Keyed[S]) Save() (restore func() error) {
	k.Mark()
	return func() error {
		if !k.Undo() {
			return errors.New("its key was changed in the same call")
		}
		return nil
	}
}
