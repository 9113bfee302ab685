package checkpoint

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/entry"
)

// Remove deletes all that there is of an instance: its states and notes, and last its checkpoint, so that a removal
// that a crash interrupted shows in Instances. It is durable when Remove returns. An instance of which nothing is
// there is fine. No other call may use the instance meanwhile, and who wants to use one of that name later gets it from
// Instance anew.
func (s *Store) Remove(instance string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	s.writing.Lock()
	defer s.writing.Unlock()
	defer s.snapshots.renew()
	if err := s.write(func(w *writer) error { return w.remove(instance) }); err != nil {
		return s.failed(fmt.Sprintf("remove instance %s from %q", instance, s.dir), err)
	}
	s.state.Lock()
	delete(s.journals, instance)
	s.state.Unlock()
	return nil
}

func (w *writer) remove(name string) error {
	for _, space := range []byte{entry.SpaceJournal, entry.SpaceKey, entry.SpaceInstanceNote} {
		if err := w.removeAll(entry.OwnedKey(space, name, "")); err != nil {
			return err
		}
	}
	if err := w.endStep(); err != nil {
		return err
	}
	return w.durably(func(wb *badger.WriteBatch) (int, error) {
		return 1, w.put(wb, entry.CheckpointKey(name), nil)
	})
}

// removeAll deletes the entries whose keys begin so.
func (w *writer) removeAll(prefix []byte) error {
	return w.durably(func(wb *badger.WriteBatch) (count int, err error) {
		return count, w.store.db.View(func(txn *badger.Txn) error {
			it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
			defer it.Close()
			for it.Rewind(); it.Valid(); it.Next() {
				if err := w.put(wb, it.Item().KeyCopy(nil), nil); err != nil {
					return err
				}
				count++
			}
			return nil
		})
	})
}
