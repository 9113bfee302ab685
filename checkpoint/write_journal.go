package checkpoint

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
	"penstock/checkpoint/internal/journal"
)

// isJournal says whether the keys of an update go into the journal: there are many, or
// some of them may be there already.
func (s *Store) isJournal(u Update) bool {
	return u.Instance.journal.Changes.Len() > 0 || len(u.Keys)+u.Changes.Len() >= s.bounds.Keys
}

// journal gives the journal of an instance.
func (s *Store) journal(name string) *journal.Journal {
	s.state.Lock()
	defer s.state.Unlock()
	j := s.journals[name]
	if j == nil {
		j = journal.NewJournal()
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
func (w *writer) tidyJournal(name string, j *journal.Journal) error {
	if !j.IsUntidy(w.store.bounds) || w.store.reserve.Check(j.Changes.Size()) != nil {
		return nil
	}
	if j.IsLarge(w.store.bounds) {
		return w.settle(name, j)
	}
	return w.rewrite(name, j)
}

// settle writes the keys of a journal one by one, and ends it.
func (w *writer) settle(name string, j *journal.Journal) error {
	before, changes := j.Blocks, j.ToSettle()
	err := w.durably(func(wb *badger.WriteBatch) (count int, err error) {
		err = changes.EachSorted(func(key, value []byte) error {
			count++
			return w.put(wb, entry.OwnedKey(entry.SpaceKey, name, key), value)
		})
		return count, err
	})
	if err != nil {
		return err
	}
	if err := w.dropBlocks(name, j, before); err != nil {
		return err
	}
	j.End()
	return nil
}

// rewrite writes a journal anew.
func (w *writer) rewrite(name string, j *journal.Journal) error {
	before := j.Blocks
	var changes *Changes
	j.Blocks.Turn()
	err := w.durably(func(wb *badger.WriteBatch) (count int, err error) {
		changes, err = j.Rewrite(wb, name)
		return changes.Len(), err
	})
	if err != nil {
		return err
	}
	j.Replace(changes)
	return w.dropBlocks(name, j, before)
}

// dropBlocks deletes those that a journal had before. What they say stands elsewhere.
func (w *writer) dropBlocks(name string, j *journal.Journal, before journal.Blocks) error {
	if err := w.endStep(); err != nil {
		return err
	}
	wb := w.store.db.NewWriteBatch()
	defer wb.Cancel()
	return j.Drop(wb, name, before)
}

// loadJournals runs at Open.
func (s *Store) loadJournals() error {
	return s.db.View(func(txn *badger.Txn) error {
		blocks, err := journal.FindBlocks(txn)
		if err != nil {
			return err
		}
		for _, f := range blocks {
			item, err := txn.Get(f.Key)
			if err != nil {
				return err
			}
			block, err := value(txn, item, f.Key)
			if err == nil {
				err = s.journal(f.Name).Load(f, block)
			}
			if err != nil {
				return fmt.Errorf("%w: journal of %s: %w", disk.ErrUnreadable, f.Name, err)
			}
		}
		return nil
	})
}
