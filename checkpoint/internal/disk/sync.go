package disk

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"penstock/internal/nofollow"
)

// Syncer closes what Badger's own Sync leaves open. That covers the log of the current
// memtable only: when a write fills one memtable and goes on in the next, the first
// part is in a log that is not synced until its table is written in the background. And
// the directory entry of a new log is not synced at all.
type Syncer struct {
	dir   string
	fsync func(path string) error

	mu   sync.Mutex
	last string // newest log whose directory entry is durable
}

// NewSyncer returns the syncer of the store in dir.
func NewSyncer(dir string) *Syncer { return &Syncer{dir: dir, fsync: Fsync} }

// Rest leaves out the log that is prepared and not in use.
func (s *Syncer) Rest(prepared string) error {
	logs, err := memtableLogs(s.dir)
	logs = slices.DeleteFunc(logs, func(name string) bool { return name == prepared })
	if err != nil || len(logs) == 0 {
		return err
	}
	newest := logs[len(logs)-1]
	for _, log := range logs[:len(logs)-1] {
		// A log that is gone has become a table, which is synced before the log goes.
		err := s.fsync(filepath.Join(s.dir, log))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if newest == s.last {
		return nil
	}
	if err := s.fsync(s.dir); err != nil {
		return err
	}
	s.last = newest
	return nil
}

// memtableLogs gives the names of the memtables' logs, oldest first.
func memtableLogs(dir string) ([]string, error) {
	d, err := nofollow.OpenDirectory(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	logs := slices.DeleteFunc(names, func(name string) bool { return filepath.Ext(name) != ".mem" })
	// The names are numbers of five digits, or more once those are used up.
	slices.SortFunc(logs, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		if a < b {
			return -1
		}
		return 1
	})
	return logs, nil
}

// WriteSynced writes a file in place. A crash may leave a part of it.
func WriteSynced(path string, data []byte) error {
	if err := nofollow.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	return Fsync(path)
}
