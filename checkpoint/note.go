package checkpoint

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
)

// Note gives a copy of a note of the pipeline, and false when there is none. The error
// wraps ErrCorrupt when it is damaged.
func (s *Store) Note(name string) ([]byte, bool, error) {
	return s.read(entry.NoteKey(name), "", kindNameNote, name)
}

// PutNote keeps a small value of the pipeline. It is durable when PutNote returns. A nil
// value deletes the note.
func (s *Store) PutNote(name string, value []byte) error {
	return s.putNote(entry.NoteKey(name), name, value)
}

// Note gives a copy of a note of the instance, and false when there is none. The error
// wraps ErrCorrupt when it is damaged.
func (i *Instance) Note(name string) ([]byte, bool, error) {
	return i.store.read(entry.OwnedKey(entry.SpaceInstanceNote, i.name, name), i.name, kindNameNote, name)
}

// PutNote keeps a small value of the instance, on its own and not with a checkpoint. It
// is durable when PutNote returns. A nil value deletes the note.
func (i *Instance) PutNote(name string, value []byte) error {
	return i.store.putNote(entry.OwnedKey(entry.SpaceInstanceNote, i.name, name), name, value)
}

// PutNoteUnsynced is PutNote without waiting for the disk: the note outlives the process
// when PutNoteUnsynced returns, and a cut of the power from the next Write or PutNote on.
func (i *Instance) PutNoteUnsynced(name string, value []byte) error {
	return i.store.setNote(entry.OwnedKey(entry.SpaceInstanceNote, i.name, name), name, value, func() error { return nil })
}

// PutNotesUnsynced is PutNoteUnsynced for several notes at once: all of them or none.
func (i *Instance) PutNotesUnsynced(notes map[string][]byte) error {
	list := make([]note, 0, len(notes))
	for name, value := range notes {
		list = append(list, note{entry.OwnedKey(entry.SpaceInstanceNote, i.name, name), name, value})
	}
	return i.store.setNotes(list, func() error { return nil })
}

func (s *Store) putNote(key []byte, name string, value []byte) error {
	return s.setNote(key, name, value, s.sync)
}

func (s *Store) setNote(key []byte, name string, value []byte, sync func() error) error {
	return s.setNotes([]note{{key, name, value}}, sync)
}

type note struct {
	key   []byte
	name  string
	value []byte
}

func (n *note) check() error {
	if len(n.name) > MaxKey {
		return fmt.Errorf("checkpoint: put note %.100q: %w: its name has %d bytes, limit %d", n.name, ErrTooLarge, len(n.name), MaxKey)
	}
	if len(n.value) > MaxNote {
		return fmt.Errorf("checkpoint: put note %.100q: %w: %d bytes, limit %d: keep large values as state by key",
			n.name, ErrTooLarge, len(n.value), MaxNote)
	}
	return nil
}

func (n *note) put(txn *badger.Txn) error {
	if n.value == nil {
		return txn.Delete(n.key)
	}
	return txn.Set(n.key, entry.Seal(n.key, entry.FormatWhole, n.value))
}

func (s *Store) setNotes(notes []note, sync func() error) error {
	for k := range notes {
		if err := notes[k].check(); err != nil {
			return err
		}
	}
	if err := s.reserve.Check(0); err != nil {
		return fmt.Errorf("checkpoint: put note %.100q: %w", notes[0].name, err)
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	err := disk.Guard(func() error {
		err := s.db.Update(func(txn *badger.Txn) error {
			for k := range notes {
				if err := notes[k].put(txn); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return sync()
	})
	if err != nil {
		return s.failed(fmt.Sprintf("put note %.100q in %q", notes[0].name, s.dir), err)
	}
	return nil
}
