package checkpoint

import (
	"sync"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
)

// snapshots shares one read transaction among all who read a key: to begin and end one
// costs more than to read. It is given up after each Write, and ends with its last
// reader; a walk has one of its own, so that no reader waits for another.
type snapshots struct {
	mu      sync.Mutex
	current *snapshot
}

type snapshot struct {
	txn       *badger.Txn
	readers   int
	isRetired bool
}

func (s *snapshots) acquire(db *badger.DB) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		s.current = &snapshot{txn: db.NewTransaction(false)}
	}
	s.current.readers++
	return s.current
}

func (s *snapshots) release(v *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.readers--; v.readers == 0 && v.isRetired {
		v.txn.Discard()
	}
}

// renew lets those who read from now on see what was written until now.
func (s *snapshots) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return
	}
	if s.current.isRetired = true; s.current.readers == 0 {
		s.current.txn.Discard()
	}
	s.current = nil
}

// viewShared runs fn on a snapshot of the store that is not older than the last Write.
func (s *Store) viewShared(fn func(*badger.Txn) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	return disk.Guard(func() error {
		v := s.snapshots.acquire(s.db)
		defer s.snapshots.release(v)
		return fn(v.txn)
	})
}

// isOpen is an error when the store is closed.
func (s *Store) isOpen() error {
	if err := s.enter(); err != nil {
		return err
	}
	s.active.Done()
	return nil
}
