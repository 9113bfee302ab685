package state

import (
	"hash/maphash"
	"strings"
	"unsafe"
)

// Bounds say how many states of keys are in memory.
type Bounds struct {
	Keys   int // 0: bounded by memory
	Memory int // bytes; 0: bounded by keys, or the default
}

// keyTable finds the decoded states of many keys: a flat hash table, the states
// in slabs, where they stay, and the keys' bytes in blocks. So a million of
// them are few objects for the garbage collector, and no key holds on to the
// message that it came in.
type keyTable[S any] struct {
	slots []uint64 // hash of a key in the upper half, number of its state plus 1 in the lower; 0 is free
	slabs [][]keyState[S]
	count int
	block strings.Builder // for the keys; those before it are held by their keys
	bytes int             // that all of it takes, about
}

type keyState[S any] struct {
	key     string
	value   S
	batch   uint64 // in which it was last touched
	weight  uint32 // bytes that its value points at, about
	deleted bool
	gone    bool // no longer valid: as if it were not in the table
}

const (
	slabBits   = 8
	leastSlots = 16
	firstBlock = 1 << 10
	mostBlock  = 64 << 10

	slotMemory = 16 // of one key, on average
)

var keySeed = maphash.MakeSeed()

func hashKey(key string) uint32 { return uint32(maphash.String(keySeed, key)) }

func (t *keyTable[S]) state(n int) *keyState[S] {
	return &t.slabs[n>>slabBits][n&(1<<slabBits-1)]
}

// find returns the state of a key, also one that is gone, or nil.
func (t *keyTable[S]) find(key string, hash uint32) *keyState[S] {
	if len(t.slots) == 0 {
		return nil
	}
	mask := uint32(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 {
			return nil
		}
		if uint32(slot>>32) != hash {
			continue
		}
		if state := t.state(int(uint32(slot)) - 1); state.key == key {
			return state
		}
	}
}

// add returns a new state for a key that has none, or none that is valid.
func (t *keyTable[S]) add(key string, hash uint32) *keyState[S] {
	if state := t.find(key, hash); state != nil {
		t.bytes -= int(state.weight)
		*state = keyState[S]{key: state.key}
		return state
	}
	if 4*t.count >= 3*len(t.slots) {
		t.grow()
	}
	n := t.count
	t.count++
	if n>>slabBits == len(t.slabs) {
		t.slabs = append(t.slabs, make([]keyState[S], 1<<slabBits))
	}
	t.enter(hash, n)
	state := t.state(n)
	state.key = t.keep(key)
	t.bytes += int(unsafe.Sizeof(*state)) + slotMemory + len(key)
	return state
}

// keep returns a key that shares its memory with other keys only.
func (t *keyTable[S]) keep(key string) string {
	if t.block.Cap()-t.block.Len() < len(key) {
		size := max(min(max(firstBlock, t.bytes), mostBlock), len(key))
		t.block = strings.Builder{}
		t.block.Grow(size)
	}
	at := t.block.Len()
	t.block.WriteString(key)
	return t.block.String()[at:]
}

// weigh notes what the value of a state points at.
func (t *keyTable[S]) weigh(state *keyState[S], weight int) {
	t.bytes += weight - int(state.weight)
	state.weight = uint32(weight)
}

func (t *keyTable[S]) enter(hash uint32, n int) {
	mask := uint32(len(t.slots) - 1)
	at := hash & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = uint64(hash)<<32 | uint64(n+1)
}

func (t *keyTable[S]) grow() {
	old := t.slots
	t.slots = make([]uint64, max(leastSlots, 2*len(old)))
	for _, slot := range old {
		if slot != 0 {
			t.enter(uint32(slot>>32), int(uint32(slot))-1)
		}
	}
}
