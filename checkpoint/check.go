package checkpoint

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"penstock/internal/format"
)

// Check reads the tables of the store in dir, which nobody may have open, and compares
// them with their checksums, as Open does. It changes nothing, and tells of all that
// are damaged: each error wraps ErrCorrupt.
func Check(dir string) (count int, damages []error) {
	ids, err := tables(dir, badgerOptions(dir, discarded))
	if err != nil {
		return 0, []error{err}
	}
	for _, id := range ids {
		name := table.NewFilename(id, dir)
		if err := guard(func() error { return verifyTable(name) }); err != nil {
			damages = append(damages, damaged(dir, fmt.Errorf("table %s: %w", filepath.Base(name), err)))
		}
	}
	return len(ids), damages
}

// CheckValues compares every value of the store with its checksum: checkpoints, keys and
// notes. It tells of all that are damaged; one that a newer version of Penstock wrote is among
// them and does not wrap ErrCorrupt.
func (s *Store) CheckValues() (count int, damages []error) {
	err := s.view(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			key := it.Item().KeyCopy(nil)
			if len(key) == 0 || key[0] == spacePiece { // those are read with their heads
				continue
			}
			count++
			_, err := value(txn, it.Item(), key)
			if errors.Is(err, format.ErrNewer) {
				damages = append(damages, fmt.Errorf("value %.100q: %w", key, err))
			} else if err != nil && key[0] != spaceOwner {
				damages = append(damages, damaged(s.dir, fmt.Errorf("value %.100q: %w", key, err)))
			}
		}
		return nil
	})
	if err != nil {
		damages = append(damages, s.failed("check the values", err))
	}
	return count, damages
}
