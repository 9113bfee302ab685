package checkpoint

import (
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// bounds say when a journal is worth its while.
type bounds struct {
	keys   int // changed in one Write, from which on a journal begins
	memory int // bytes of it, over which it is written anew, or its keys one by one
	least  int // bytes of it on disk, up to which it is not written anew
}

// stale is how many times of what is current a journal may have on disk.
const stale = 2

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
	to := setter{to: j.changes}
	j.mu.Lock()
	defer j.mu.Unlock()
	defer to.flush()
	u.each(func(hash uint32, key, value []byte) error {
		if n++; n%journalTurn == 0 {
			j.mu.Unlock()
			j.mu.Lock()
		}
		if isJournaled(value) {
			to.set(hash, key, value, lengthOf(value))
		} else {
			to.set(hash, key, nil, isElsewhere)
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

func (w *writer) tidy(updates []Update) error {
	for _, u := range updates {
		if err := w.tidyJournal(u.Instance.name, u.Instance.journal); err != nil {
			return err
		}
	}
	return nil
}

// tidyJournal keeps a journal within its bounds: one that is mostly out of date, on disk or in
// memory, is written anew, and one that takes too much memory all the same is written key
// by key. A crash in between leaves blocks that say what stands elsewhere too.
func (w *writer) tidyJournal(name string, j *journal) error {
	if !j.isUntidy(w.store.bounds) || w.store.room.check(j.changes.Size()) != nil {
		return nil
	}
	if j.isLarge(w.store.bounds) {
		return w.settle(name, j)
	}
	return w.rewrite(name, j)
}

func (j *journal) isUntidy(b bounds) bool {
	return j.changes.Size() > b.memory || j.blocks.bytes > max(stale*j.changes.live, b.least)
}

// isLarge says that a journal would soon take too much memory again if it were written
// anew.
func (j *journal) isLarge(b bounds) bool { return j.changes.leastSize() > b.memory/4*3 }

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
	j.mu.Lock()
	defer j.mu.Unlock()
	j.changes = &Changes{}
	j.blocks.turn()
	return nil
}

func (w *writer) rewrite(name string, j *journal) error {
	before, changes := j.blocks, &Changes{}
	j.blocks.turn()
	err := w.durably(func(wb *badger.WriteBatch) (count int, err error) {
		blocks := blockWriter{wb: wb, j: j, name: name}
		for key, value := range j.changes.All() {
			count++
			if err := blocks.add(key, value); err != nil {
				return 0, err
			}
			set(changes, hashOfBytes(key), key, value, lengthOf(value))
		}
		return count, blocks.flush()
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.changes = changes
	j.mu.Unlock()
	return w.dropBlocks(name, j, before)
}
