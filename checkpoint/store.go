package checkpoint

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/gofrs/flock"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/journal"
	"penstock/checkpoint/internal/mend"
	"penstock/internal/format"
	"penstock/internal/nofollow"
)

// lockName is a lock of our own: it has to be held before the directory is swept, and
// Badger takes its lock only after that.
const lockName = "checkpoint.lock"

// Store holds the checkpoints of all instances of one pipeline. All methods may be
// called from several goroutines at once.
type Store struct {
	dir     string
	logger  *slog.Logger
	lock    *flock.Flock
	db      *badger.DB
	syncer  *disk.Syncer
	reserve *disk.Reserve

	snapshots snapshots

	writing     sync.Mutex        // one Write at a time; guards the three below
	large       map[string]uint64 // generation of every value that is stored in pieces
	generation  uint64            // the last one given out
	newestTable uint64            // that was noted

	state    sync.Mutex
	closed   bool
	journals map[string]*journal.Journal // by instance
	bounds   journal.Bounds              // of the journals
	active   sync.WaitGroup              // calls that use db
}

// Open opens the store in cfg.Dir, or makes an empty one. It removes what a crash left
// half made and checks every table file against its checksums, which takes as long as
// reading the files.
//
// The error wraps ErrInUse when the directory is held by another process, ErrCorrupt when
// it is damaged, ErrOpenFiles when the process may not open enough files, and ErrFileSize
// when it may make small ones only. What else the operating system refuses is no damage:
// the error wraps none of these, and says what mends it.
func Open(cfg Config) (*Store, error) {
	if cfg.Dir == "" {
		return nil, errors.New("checkpoint: open store: Config.Dir is empty: set the directory to keep state in")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if _, err := CheckOpenFiles(cfg.Dir, 0); err != nil {
		return nil, err
	}
	if err := makeDir(cfg.Dir); err != nil {
		return nil, fmt.Errorf("checkpoint: open store %q: %w", cfg.Dir, err)
	}
	lock, err := takeLock(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: open store %q: %w", cfg.Dir, err)
	}
	s := &Store{dir: cfg.Dir, logger: cfg.Logger, lock: lock, syncer: disk.NewSyncer(cfg.Dir),
		reserve: disk.NewReserve(cfg.Dir), journals: map[string]*journal.Journal{}, bounds: journal.DefaultBounds}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return s, nil
}

func (s *Store) open() error {
	opts := badgerOptions(s.dir, s.logger)
	if err := nofollow.CheckTree(s.dir, nofollow.Tree{IsFile: IsFile}); err != nil {
		return fmt.Errorf("checkpoint: open store: %w", err)
	}
	if err := disk.Sweep(s.dir, s.logger); err != nil {
		return fmt.Errorf("checkpoint: open store %q: %w", s.dir, err)
	}
	if err := mend.Verify(s.dir, opts); err != nil {
		return err
	}
	var err error
	if s.newestTable, err = mend.NotedTable(s.dir); err != nil {
		return err
	}
	if err := s.reserve.BeforeOpen(); err != nil {
		return fmt.Errorf("checkpoint: open store %q: %w", s.dir, err)
	}
	if err := s.openBadger(opts); err != nil {
		return openError(s.dir, err)
	}
	if err := s.reserve.AfterOpen(); err != nil {
		s.logger.Warn("cannot reserve disk space for the checkpoints: the disk is nearly full", "error", err)
	}
	err = disk.Guard(s.reclaim)
	if err == nil {
		err = disk.Guard(s.loadJournals)
	}
	if err != nil {
		return errors.Join(s.failed(fmt.Sprintf("open store %q", s.dir), err), disk.Guard(s.db.Close))
	}
	return nil
}

// openBadger waits for Badger's own lock, which it lets go of by closing a file only. A
// program that was started meanwhile, from anywhere in this process, has that file open
// too until it runs. No other process can have the lock, for we have ours.
func (s *Store) openBadger(opts badger.Options) error {
	for end := time.Now().Add(lockPatience); ; time.Sleep(lockPause) {
		err := disk.Guard(func() (err error) {
			s.db, err = badger.Open(opts)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), badgerInUse) || time.Now().After(end) {
			return err
		}
	}
}

const (
	badgerInUse  = "Cannot acquire directory lock"
	lockPatience = 5 * time.Second
	lockPause    = 5 * time.Millisecond
)

// Close waits for running calls, writes what Badger still holds in memory and lets go
// of the directory. Everything that Write and PutNote returned for was durable before.
// Closing again does nothing. A function that Keys calls must not call it.
//
// When the disk is too full for that the error wraps ErrNoSpace, and the directory is
// left as a killed process would leave it: nothing is lost, and it can be opened again
// by another process.
func (s *Store) Close() error {
	s.state.Lock()
	if s.closed {
		s.state.Unlock()
		return nil
	}
	s.closed = true
	s.state.Unlock()
	s.active.Wait()
	s.snapshots.renew()

	if err := s.reserve.BeforeClose(); err != nil {
		return s.failed(fmt.Sprintf("close store %q", s.dir), errors.Join(err, s.lock.Unlock()))
	}
	if err := errors.Join(disk.Guard(s.db.Close), s.lock.Unlock()); err != nil {
		return s.failed(fmt.Sprintf("close store %q", s.dir), err)
	}
	return nil
}

// Size is the space the store takes on disk, in bytes, without what it keeps in
// reserve. It is 0 when the directory cannot be read.
func (s *Store) Size() (bytes int64) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0
	}
	prepared := s.reserve.Prepared()
	for _, e := range entries {
		// A table that a compaction removed meanwhile takes no space.
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && e.Name() != disk.ReserveName && e.Name() != prepared {
			bytes += disk.Used(info)
		}
	}
	return bytes
}

// enter keeps the database open until the caller is done; it has to call s.active.Done.
func (s *Store) enter() error {
	s.state.Lock()
	defer s.state.Unlock()
	if s.closed {
		return fmt.Errorf("checkpoint: store %q: %w", s.dir, ErrClosed)
	}
	s.active.Add(1)
	return nil
}

// failed says which call went wrong, and calls damage by its name.
func (s *Store) failed(operation string, err error) error {
	if errors.Is(err, disk.ErrUnreadable) && !errors.Is(err, format.ErrNewer) {
		return mend.Unreadable(s.dir, fmt.Errorf("%s: %w", operation, err))
	}
	if remedy, isRefusal := disk.Refusal(err); isRefusal && !errors.Is(err, ErrNoSpace) {
		return fmt.Errorf("checkpoint: %s: %w: %s", operation, err, remedy)
	}
	return fmt.Errorf("checkpoint: %s: %w", operation, err)
}

// makeDir makes the directory, and makes its entry durable: a store that is lost as a
// whole would look like one that never was.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return disk.Fsync(filepath.Dir(filepath.Clean(dir)))
}

func takeLock(dir string) (*flock.Flock, error) {
	path := filepath.Join(dir, lockName)
	if err := nofollow.Check(path); err != nil {
		return nil, fmt.Errorf("take lock: %w", err)
	}
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|nofollow.Flag))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("take lock: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("%w%s: stop the pipeline that runs there, or choose another directory",
			ErrInUse, holder(dir))
	}
	return lock, nil
}

// holder names the process that has the store open. Badger keeps its pid in a file.
func holder(dir string) string {
	pid, err := nofollow.ReadFile(filepath.Join(dir, "LOCK"))
	if err != nil || len(pid) == 0 {
		return ""
	}
	return " by process " + strings.TrimSpace(string(pid))
}

// openError tells another process that has the store from the rest.
func openError(dir string, err error) error {
	if strings.Contains(err.Error(), badgerInUse) {
		return fmt.Errorf("checkpoint: open store %q: %w by another program: %w", dir, ErrInUse, err)
	}
	return mend.Unreadable(dir, err)
}
