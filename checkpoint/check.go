package checkpoint

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
	"penstock/checkpoint/internal/mend"
	"penstock/internal/format"
)

// Check reads the tables of the store in dir, which no process may have open, and compares
// them with their checksums, as Open does. It changes nothing, and tells of all that
// are damaged: each error wraps ErrCorrupt, unless a file cannot be read.
func Check(dir string) (count int, damages []error) {
	return mend.Check(dir, badgerOptions(dir, discarded))
}

// IsRefusal says that the operating system refused something, such as to read a file: that is no damage.
func IsRefusal(err error) bool {
	_, isRefusal := disk.Refusal(err)
	return isRefusal
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
			if len(key) == 0 || key[0] == entry.SpacePiece { // those are read with their heads
				continue
			}
			count++
			_, err := value(txn, it.Item(), key)
			if errors.Is(err, format.ErrNewer) {
				damages = append(damages, fmt.Errorf("value %.100q: %w", key, err))
			} else if err != nil && key[0] != entry.SpaceOwner {
				damages = append(damages, mend.Damaged(s.dir, fmt.Errorf("value %.100q: %w", key, err)))
			}
		}
		return nil
	})
	if err != nil {
		damages = append(damages, s.failed("check the values", err))
	}
	return count, damages
}
