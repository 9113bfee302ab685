package engine

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
)

// stats are the counts of an instance that its offsets do not tell. They
// outlive the process: they are kept in Badger, and written whenever something
// rare happens. Safe for concurrent use.
type stats struct {
	Starts           atomic.Uint64
	Restarts         atomic.Uint64
	Panics           atomic.Uint64
	Errors           atomic.Uint64
	Unhealthy        atomic.Uint64
	Abandoned        atomic.Uint64
	RecoveryFailures atomic.Uint64
	Unavailable      atomic.Uint64
	DeadLetters      atomic.Uint64
	Dropped          atomic.Uint64
	Busy             atomic.Int64 // nanoseconds inside the stage's functions, of this process

	unsaved atomic.Bool // to be saved with the next commit
	mu      sync.Mutex
	saved   savedStats // as in Badger
}

type savedStats struct {
	Starts           uint64 `json:"starts"`
	Restarts         uint64 `json:"restarts"`
	Panics           uint64 `json:"panics"`
	Errors           uint64 `json:"errors"`
	Unhealthy        uint64 `json:"unhealthy,omitempty"`
	Abandoned        uint64 `json:"abandoned,omitempty"`
	RecoveryFailures uint64 `json:"recovery_failures,omitempty"`
	Unavailable      uint64 `json:"unavailable,omitempty"`
	DeadLetters      uint64 `json:"dead_letters"`
	Dropped          uint64 `json:"dropped,omitempty"`
}

const statsNote = "stats"

func (s *stats) read() savedStats {
	return savedStats{
		Starts:           s.Starts.Load(),
		Restarts:         s.Restarts.Load(),
		Panics:           s.Panics.Load(),
		Errors:           s.Errors.Load(),
		Unhealthy:        s.Unhealthy.Load(),
		Abandoned:        s.Abandoned.Load(),
		RecoveryFailures: s.RecoveryFailures.Load(),
		Unavailable:      s.Unavailable.Load(),
		DeadLetters:      s.DeadLetters.Load(),
		Dropped:          s.Dropped.Load(),
	}
}

func (s *stats) restore(saved savedStats) {
	s.saved = saved
	s.Starts.Store(saved.Starts)
	s.Restarts.Store(saved.Restarts)
	s.Panics.Store(saved.Panics)
	s.Errors.Store(saved.Errors)
	s.Unhealthy.Store(saved.Unhealthy)
	s.Abandoned.Store(saved.Abandoned)
	s.RecoveryFailures.Store(saved.RecoveryFailures)
	s.Unavailable.Store(saved.Unavailable)
	s.DeadLetters.Store(saved.DeadLetters)
	s.Dropped.Store(saved.Dropped)
}

func (in *instance) saveStats() {
	in.stats.mu.Lock()
	defer in.stats.mu.Unlock()
	in.stats.unsaved.Store(false)
	now := in.stats.read()
	if now == in.stats.saved {
		return
	}
	data, err := json.Marshal(now)
	if err == nil {
		err = in.committed.store.PutNoteUnsynced(statsNote, data)
	}
	if err != nil {
		in.log.Warn("the counters of the stage could not be kept", "error", err)
		return
	}
	in.stats.saved = now
}

func (in *instance) loadStats() error {
	data, found, err := in.committed.store.Note(statsNote)
	if err != nil || !found {
		return err
	}
	var saved savedStats
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("read the counters: %w", err)
	}
	in.stats.restore(saved)
	return nil
}
