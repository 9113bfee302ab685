package journal

import (
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// Bounds say when a journal is worth its while.
type Bounds struct {
	Keys   int // changed in one Write, from which on a journal begins
	Memory int // bytes of it, over which it is written anew, or its keys one by one
	Least  int // bytes of it on disk, up to which it is not written anew
}

// stale is how many times of what is current a journal may have on disk.
const stale = 2

// DefaultBounds are those of a store.
var DefaultBounds = Bounds{Keys: 4096, Memory: 128 << 20, Least: 8 << 20}

// JournaledValue is the largest state that goes into a journal.
const JournaledValue = 4 << 10

// Journal holds the states of keys that changed lately, many in one entry of Badger: a
// key of its own there costs some microseconds each time it changes, which a Write of
// hundreds of thousands of them cannot pay. All of it is in memory too. What it says of a
// key is newer than what stands under that key.
type Journal struct {
	mu      sync.RWMutex
	Changes *Changes // never nil; set only by a Write

	Blocks Blocks // on disk; guarded by Store.writing
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{Changes: &Changes{}} }

// Get gives a copy of a state.
func (j *Journal) Get(key string) (value []byte, found bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	value, found = j.Changes.Get(key)
	if value != nil {
		value = append(make([]byte, 0, len(value)), value...)
	}
	return value, found
}

// From gives copies of the states of the keys from the given one on, in order.
func (j *Journal) From(key string) []Change {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Changes.From(key)
}

// journalTurn is how many keys are set between two chances to read.
const journalTurn = 1024

// Add takes what is durable: what each calls its function with.
func (j *Journal) Add(each func(fn func(hash uint32, key, value []byte) error) error) {
	n := 0
	to := setter{to: j.Changes}
	j.mu.Lock()
	defer j.mu.Unlock()
	defer to.flush()
	_ = each(func(hash uint32, key, value []byte) error {
		if n++; n%journalTurn == 0 {
			j.mu.Unlock()
			j.mu.Lock()
		}
		if IsJournaled(value) {
			to.set(hash, key, value, lengthOf(value))
		} else {
			to.set(hash, key, nil, isElsewhere)
		}
		return nil
	})
}

// IsJournaled says whether a state is small enough for a journal.
func IsJournaled(value []byte) bool { return len(value) <= JournaledValue }

// IsUntidy says whether a journal is out of its bounds, on disk or in memory.
func (j *Journal) IsUntidy(b Bounds) bool {
	return j.Changes.Size() > b.Memory || j.Blocks.Bytes > max(stale*j.Changes.live, b.Least)
}

// IsLarge says that a journal would soon take too much memory again if it were written
// anew.
func (j *Journal) IsLarge(b Bounds) bool { return j.Changes.leastSize() > b.Memory/4*3 }

// ToSettle gives the changes of a journal that is to end, in the order of their keys so that Badger's tables do
// not overlap.
func (j *Journal) ToSettle() *Changes {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Changes.sort()
	return j.Changes
}

// End forgets all changes: what they say stands elsewhere.
func (j *Journal) End() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Changes = &Changes{}
	j.Blocks.Turn()
}

// Rewrite writes all changes into new blocks, without what has grown old.
func (j *Journal) Rewrite(wb *badger.WriteBatch, name string) (changes *Changes, err error) {
	changes = &Changes{}
	blocks := j.Writer(wb, name)
	for key, value := range j.Changes.All() {
		if err := blocks.Add(key, value); err != nil {
			return nil, err
		}
		set(changes, hashOfBytes(key), key, value, lengthOf(value))
	}
	return changes, blocks.Flush()
}

// Replace takes what rewrite gave.
func (j *Journal) Replace(changes *Changes) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Changes = changes
}

// Writer cuts changes into blocks of the journal.
func (j *Journal) Writer(wb *badger.WriteBatch, name string) *blockWriter {
	return &blockWriter{wb: wb, j: j, name: name}
}

// Drop deletes blocks that the journal had before. What they say stands elsewhere.
func (j *Journal) Drop(wb *badger.WriteBatch, name string, before Blocks) error {
	for _, at := range before.Addresses {
		if err := wb.Delete(BlockKey(name, at)); err != nil {
			return err
		}
	}
	if err := wb.Flush(); err != nil {
		return err
	}
	j.Blocks.Addresses = slices.Clone(j.Blocks.Addresses[len(before.Addresses):])
	j.Blocks.Bytes -= before.Bytes
	return nil
}
