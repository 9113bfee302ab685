package mend

import (
	"fmt"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"penstock/checkpoint/internal/disk"
)

// Check reads the tables of the store in dir, which no process may have open, and compares
// them with their checksums, as Open does. It changes nothing, and tells of all that
// are damaged: each error wraps ErrCorrupt, unless a file cannot be read.
func Check(dir string, opts badger.Options) (count int, damages []error) {
	ids, err := tables(dir, opts)
	if err != nil {
		return 0, []error{err}
	}
	for _, id := range ids {
		name := table.NewFilename(id, dir)
		if err := disk.Guard(func() error { return VerifyTable(name) }); err != nil {
			damages = append(damages, Damaged(dir, fmt.Errorf("table %s: %w", filepath.Base(name), err)))
		}
	}
	return len(ids), damages
}
