package journal

import (
	"hash/maphash"
	"iter"
	"math"
)

// Changes maps keys to their new states. It is made for many small ones: a flat hash
// table and blocks of bytes, in which the garbage collector finds no pointers to follow,
// and a state that is set again takes its old place where it fits. It copies what it is
// given. The zero value is empty and ready. Not safe for concurrent use, but any number
// of goroutines may read it while none sets.
type Changes struct {
	slots   []uint64 // hash of a key in the upper half, number of its entry plus 1 in the lower; 0 is free
	entries []changed
	blocks  [][]byte // full up to their length
	bytes   int      // of all blocks
	live    int      // of the keys and their current states
	order   []uint32 // the first so many entries in the order of their keys

	longestKey, longestValue int // that there ever were
}

// changed is where a key is, and behind it its state.
type changed struct {
	hash      uint32
	block, at uint32
	key       uint32 // length
	value     uint32 // length, isDeleted or isElsewhere
	room      uint32 // for the value
}

const (
	isDeleted   = math.MaxUint32     // the key has no state
	isElsewhere = math.MaxUint32 - 1 // the entry says nothing of its key
)

const (
	leastSlots = 16
	firstBlock = 1 << 10
	mostBlock  = 256 << 10
)

// Len is how many keys there are, the deleted ones included; of nil it is 0.
func (c *Changes) Len() int {
	if c == nil {
		return 0
	}
	return len(c.entries)
}

// Size is about the memory that the changes take, in bytes, what grew and moved included.
func (c *Changes) Size() int { return c.bytes + changeMemory*len(c.entries) }

// changeMemory is what a change takes in the tables, on average.
const changeMemory = 24 + 16

// leastSize is what Size would be if nothing had ever grown.
func (c *Changes) leastSize() int { return c.live + changeMemory*len(c.entries) }

// Set changes the state of a key; nil deletes it.
func (c *Changes) Set(key string, value []byte) {
	set(c, HashOf(key), key, value, lengthOf(value))
}

func lengthOf(value []byte) uint32 {
	if value == nil {
		return isDeleted
	}
	return uint32(len(value))
}

// Get gives the state of a key, nil when it is deleted, and false when nothing is known
// of it. The state aliases the changes: it holds until the next Set.
func (c *Changes) Get(key string) (value []byte, found bool) {
	n := find(c, key, HashOf(key))
	if n < 0 || c.entries[n].value == isElsewhere {
		return nil, false
	}
	return c.value(n), true
}

// All gives the keys and their states in the order in which the keys were set first.
// Both alias the changes.
func (c *Changes) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for n := range c.entries {
			if c.entries[n].value != isElsewhere && !yield(c.key(n), c.value(n)) {
				return
			}
		}
	}
}

// Each calls fn with every key, its hash and its state, in the order in which the keys were set first. All of
// them alias the changes. An error of fn ends it. Of nil there are none.
func (c *Changes) Each(fn func(hash uint32, key, value []byte) error) error {
	for n := range c.Len() {
		if err := fn(c.entries[n].hash, c.key(n), c.value(n)); err != nil {
			return err
		}
	}
	return nil
}

// Longest are the lengths of the longest key and of the longest state that there ever were.
func (c *Changes) Longest() (key, value int) {
	if c == nil {
		return 0, 0
	}
	return c.longestKey, c.longestValue
}

// Change is the new state of one key; nil deletes it.
type Change struct {
	Key   string
	Value []byte
}

// Reset forgets everything. It keeps the memory for the next so many changes.
func (c *Changes) Reset() {
	if 4*len(c.entries) < cap(c.entries) || len(c.blocks) == 0 {
		*c = Changes{}
		return
	}
	clear(c.slots)
	kept := c.blocks[:0]
	for _, b := range c.blocks {
		if cap(b) == mostBlock {
			kept = append(kept, b[:0])
		}
	}
	clear(c.blocks[len(kept):])
	*c = Changes{slots: c.slots, entries: c.entries[:0], blocks: kept[:0], order: c.order[:0]}
}

// One seed for all changes, so that a hash goes with its key from one to the other.
var seed = maphash.MakeSeed()

// HashOf gives the hash of a key, as Each gives it.
func HashOf(key string) uint32 { return uint32(maphash.String(seed, key)) }

// hashOfBytes gives the hash of the same key as a string.
func hashOfBytes(key []byte) uint32 { return uint32(maphash.Bytes(seed, key)) }

func find[K string | []byte](c *Changes, key K, hash uint32) int {
	if len(c.slots) == 0 {
		return -1
	}
	mask := uint32(len(c.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		slot := c.slots[at]
		if slot == 0 {
			return -1
		}
		if n := int(uint32(slot)) - 1; uint32(slot>>32) == hash && string(c.key(n)) == string(key) {
			return n
		}
	}
}

func set[K string | []byte](c *Changes, hash uint32, key K, value []byte, length uint32) {
	if 4*len(c.entries) >= 3*len(c.slots) {
		c.grow()
	}
	n := find(c, key, hash)
	if n < 0 {
		n = c.add(hash)
		place(c, n, key, value, len(value))
		c.live += len(key)
	} else {
		e := &c.entries[n]
		c.live -= bytesOf(e.value)
		if at := e.at + e.key; len(value) <= int(e.room) {
			copy(c.blocks[e.block][at:at+e.room], value)
		} else {
			place(c, n, key, value, len(value)+len(value)/4) // it grew, and may grow again
		}
	}
	c.live += bytesOf(length)
	c.longestKey, c.longestValue = max(c.longestKey, len(key)), max(c.longestValue, len(value))
	c.entries[n].value = length
}

// add makes an entry.
func (c *Changes) add(hash uint32) (n int) {
	n = len(c.entries)
	c.entries = append(c.entries, changed{hash: hash})
	c.enter(hash, n)
	return n
}

// bytesOf is how many bytes a state of that length has.
func bytesOf(length uint32) int {
	if length >= isElsewhere {
		return 0
	}
	return int(length)
}

// place writes a key and its state to a new place.
func place[K string | []byte](c *Changes, n int, key K, value []byte, room int) {
	need := len(key) + room
	last := len(c.blocks) - 1
	if last < 0 || cap(c.blocks[last])-len(c.blocks[last]) < need {
		c.addBlock(need)
		last++
	}
	b := c.blocks[last]
	at := len(b)
	b = append(b, key...)
	b = append(b, value...)
	c.blocks[last] = b[:at+need]
	c.entries[n] = changed{hash: c.entries[n].hash, block: uint32(last), at: uint32(at), key: uint32(len(key)), room: uint32(room)}
}

func (c *Changes) addBlock(need int) {
	size := min(max(firstBlock, c.bytes), mostBlock)
	if n := len(c.blocks); n < cap(c.blocks) && need <= mostBlock {
		if kept := c.blocks[:n+1][n]; cap(kept) == mostBlock { // of before a Reset
			c.blocks = append(c.blocks, kept[:0])
			c.bytes += mostBlock
			return
		}
	}
	c.blocks = append(c.blocks, make([]byte, 0, max(size, need)))
	c.bytes += max(size, need)
}

func (c *Changes) enter(hash uint32, n int) {
	mask := uint32(len(c.slots) - 1)
	at := hash & mask
	for c.slots[at] != 0 {
		at = (at + 1) & mask
	}
	c.slots[at] = uint64(hash)<<32 | uint64(n+1)
}

func (c *Changes) grow() {
	old := c.slots
	c.slots = make([]uint64, max(leastSlots, 2*len(old)))
	for _, slot := range old {
		if slot != 0 {
			c.enter(uint32(slot>>32), int(uint32(slot))-1)
		}
	}
}

func (c *Changes) key(n int) []byte {
	e := &c.entries[n]
	return c.blocks[e.block][e.at : e.at+e.key : e.at+e.key]
}

func (c *Changes) value(n int) []byte {
	e := &c.entries[n]
	if e.value >= isElsewhere {
		return nil
	}
	at := e.at + e.key
	return c.blocks[e.block][at : at+e.value : at+e.value]
}
