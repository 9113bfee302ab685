package checkpoint

import (
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// bounds say when a journal is worth its while.
type bounds struct {
	keys   int // changed in one Write, from which on a journal begins
	memory int // bytes of it, over which its keys are written one by one
	least  int // bytes of it on disk, up to which it is not written anew
}

var defaultBounds = bounds{keys: 4096, memory: 128 << 20, least: 8 << 20}

// journaledValue is the largest state that goes into a journal.
const journaledValue = 4 << 10

// journal holds the states of keys that changed lately, many in one entry of Badger: a
// key of its own there costs some microseconds each time it changes, which a Write of
// hundreds of thousands of them cannot pay. All of it is in memory too. What it says of a
// key is newer than what stands under that key.
type journal struct {
	mu      sync.RWMutex
	changes *Changes // never nil; set only by a Write

	blocks blocks // on disk; guarded by Store.writing
}

func newJournal() *journal { return &journal{changes: &Changes{}} }

// get gives a copy of a state.
func (j *journal) get(key string) (value []byte, found bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	value, found = j.changes.Get(key)
	if value != nil {
		value = append(make([]byte, 0, len(value)), value...)
	}
	return value, found
}

// from gives copies of the states of the keys from the given one on, in order.
func (j *journal) from(key string) []Change {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changes.From(key)
}

// journalTurn is how many keys are set between two chances to read.
const journalTurn = 1024

// add takes what is durable.
func (j *journal) add(u Update) {
	n := 0
	j.mu.Lock()
	defer j.mu.Unlock()
	u.each(func(hash uint32, key, value []byte) error {
		if n++; n%journalTurn == 0 {
			j.mu.Unlock()
			j.mu.Lock()
		}
		if isJournaled(value) {
			set(j.changes, hash, key, value, lengthOf(value))
		} else {
			set(j.changes, hash, key, nil, isElsewhere)
		}
		return nil
	})
}

func isJournaled(value []byte) bool { return len(value) <= journaledValue }

// isJournal says whether the keys of an update go into the journal: there are many, or
// some of them may be there already.
func (s *Store) isJournal(u Update) bool {
	return u.Instance.journal.changes.Len() > 0 || len(u.Keys)+u.Changes.Len() >= s.bounds.keys
}

// journal gives the journal of an instance.
func (s *Store) journal(name string) *journal {
	s.state.Lock()
	defer s.state.Unlock()
	j := s.journals[name]
	if j == nil {
		j = newJournal()
		s.journals[name] = j
	}
	return j
}

// tidy keeps a journal within its bounds: one that takes too much memory is written key
// by key, and one that is mostly out of date on disk is written anew. A crash in between
// leaves blocks that say what stands elsewhere too.
func (w *writer) tidy(name string, j *journal) error {
	switch bounds := w.store.bounds; {
	case j.changes.Size() > bounds.memory:
		return w.settle(name, j)
	case j.isStale(bounds):
		return w.rewrite(name, j)
	}
	return nil
}

// isStale says that most of what is on disk is out of date, or nearly.
func (j *journal) isStale(b bounds) bool { return j.blocks.bytes > max(j.changes.Size(), b.least) }

// tidySize is what tidy may write, in bytes.
func (j *journal) tidySize(b bounds) int {
	if j.changes.Size() > b.memory || j.isStale(b) {
		return j.changes.Size()
	}
	return 0
}

func (w *writer) settle(name string, j *journal) error {
	before, changes := j.blocks, j.changes
	j.mu.Lock()
	changes.sort() // so that the tables do not overlap
	j.mu.Unlock()
	err := w.durably(func(wb *badger.WriteBatch) (count int, err error) {
		for _, number := range changes.order {
			n := int(number)
			if changes.entries[n].value == isElsewhere {
				continue
			}
			count++
			if err := w.put(wb, ownedKey(spaceKey, name, changes.key(n)), changes.value(n)); err != nil {
				return 0, err
			}
		}
		return count, nil
	})
	if err != nil {
		return err
	}
	if err := w.dropBlocks(name, j, before); err != nil {
		return err
	}
	w.store.snapshots.renew() // whoever does not find a key in the journal finds it there
	j.mu.Lock()
	defer j.mu.Unlock()
	j.changes = &Changes{}
	j.blocks.turn()
	return nil
}

func (w *writer) rewrite(name string, j *journal) error {
	before := j.blocks
	j.blocks.turn()
	err := w.durably(func(wb *badger.WriteBatch) (count int, err error) {
		blocks := blockWriter{wb: wb, j: j, name: name}
		for key, value := range j.changes.All() {
			count++
			if err := blocks.add(key, value); err != nil {
				return 0, err
			}
		}
		return count, blocks.flush()
	})
	if err != nil {
		return err
	}
	return w.dropBlocks(name, j, before)
}
