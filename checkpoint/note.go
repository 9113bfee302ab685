package checkpoint

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// Note gives a copy of a note of the pipeline, and false when there is none. The error
// wraps ErrCorrupt when it is damaged.
func (s *Store) Note(name string) ([]byte, bool, error) {
	return s.read(noteKey(name), "", kindNameNote, name)
}

// PutNote keeps a small value of the pipeline. It is durable when PutNote returns. A nil
// value deletes the note.
func (s *Store) PutNote(name string, value []byte) error {
	return s.putNote(noteKey(name), name, value)
}

// Note gives a copy of a note of the instance, and false when there is none. The error
// wraps ErrCorrupt when it is damaged.
func (i *Instance) Note(name string) ([]byte, bool, error) {
	return i.store.read(ownedKey(spaceInstanceNote, i.name, name), i.name, kindNameNote, name)
}

// PutNote keeps a small value of the instance, on its own and not with a checkpoint. It
// is durable when PutNote returns. A nil value deletes the note.
func (i *Instance) PutNote(name string, value []byte) error {
	return i.store.putNote(ownedKey(spaceInstanceNote, i.name, name), name, value)
}

// PutNoteUnsynced is PutNote without waiting for the disk: the note outlives the process
// when PutNoteUnsynced returns, and a cut of the power from the next Write or PutNote on.
func (i *Instance) PutNoteUnsynced(name string, value []byte) error {
	return i.store.setNote(ownedKey(spaceInstanceNote, i.name, name), name, value, func() error { return nil })
}

func (s *Store) putNote(key []byte, name string, value []byte) error {
	return s.setNote(key, name, value, s.sync)
}

func (s *Store) setNote(key []byte, name string, value []byte, sync func() error) error {
	if len(name) > MaxKey {
		return fmt.Errorf("checkpoint: put note %.100q: %w: its name has %d bytes, limit %d", name, ErrTooLarge, len(name), MaxKey)
	}
	if len(value) > MaxNote {
		return fmt.Errorf("checkpoint: put note %.100q: %w: %d bytes, limit %d: keep large values as state by key",
			name, ErrTooLarge, len(value), MaxNote)
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	err := guard(func() error {
		err := s.db.Update(func(txn *badger.Txn) error {
			if value == nil {
				return txn.Delete(key)
			}
			return txn.Set(key, seal(key, formatWhole, value))
		})
		if err != nil {
			return err
		}
		return sync()
	})
	if err != nil {
		return s.failed(fmt.Sprintf("put note %.100q in %q", name, s.dir), err)
	}
	return nil
}
