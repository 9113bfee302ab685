package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"penstock/engine/frame"
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
	FailedAttempts   atomic.Uint64
	Killed           atomic.Uint64
	Busy             atomic.Int64 // nanoseconds inside the stage's functions, of this process

	unsaved atomic.Bool // to be saved with the next commit
	mu      sync.Mutex
	saved   savedStats        // as in Badger
	causes  map[string]uint64 // restarts by why
	given   givenUp
	before  frame.Tally // what builds counted here that did not count in the frames
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
	FailedAttempts   uint64 `json:"failed_attempts,omitempty"`
	Killed           uint64 `json:"killed,omitempty"`
}

// statsRecord is what is in Badger.
type statsRecord struct {
	savedStats
	givenUp
	Causes map[string]uint64 `json:"restarts_by_reason,omitempty"`
}

const statsNote = "stats"

// givenUp are counts that stand in the frames. The note keeps those of builds
// that had them here, for a channel that has no frame with its own yet.
type givenUp struct {
	DeadLetters uint64            `json:"dead_letters,omitempty"`
	Dropped     uint64            `json:"dropped,omitempty"`
	Reasons     map[string]uint64 `json:"dead_letters_by_reason,omitempty"`
}

func (g givenUp) tally() frame.Tally {
	t := frame.Tally{Dropped: g.Dropped}
	for reason, n := range g.Reasons {
		t.AddLetters(reason, n)
	}
	if told := t.Total(); g.DeadLetters > told {
		t.AddLetters("unknown", g.DeadLetters-told)
	}
	return t
}

// countRestart counts a restart.
func (s *stats) countRestart(cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Restarts.Add(1)
	if s.causes == nil {
		s.causes = map[string]uint64{}
	}
	s.causes[cause]++
}

// restartsBy are the restarts by why there were.
func (s *stats) restartsBy() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.causes)
}

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
		FailedAttempts:   s.FailedAttempts.Load(),
		Killed:           s.Killed.Load(),
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
	s.FailedAttempts.Store(saved.FailedAttempts)
	s.Killed.Store(saved.Killed)
}

func (in *instance) saveStats() {
	err := in.putStats()
	if isNoSpace(err) {
		in.observed.stats.unsaved.Store(true)
	} else if err != nil {
		in.log.Warn("cannot save the counters of the stage", "error", err)
	}
}

// putStats keeps the counters, if they have changed.
func (in *instance) putStats() error {
	in.observed.stats.mu.Lock()
	defer in.observed.stats.mu.Unlock()
	now := in.observed.stats.read()
	if now == in.observed.stats.saved {
		return nil
	}
	data, err := json.Marshal(statsRecord{now, in.observed.stats.given, in.observed.stats.causes})
	if err == nil {
		err = in.committed.Store.PutNoteUnsynced(statsNote, data)
	}
	if err == nil {
		in.observed.stats.saved = now
	}
	return err
}

func (in *instance) loadStats() error {
	data, found, err := in.committed.Store.Note(statsNote)
	if err != nil || !found {
		return err
	}
	var saved statsRecord
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("read the counters: %w", err)
	}
	in.observed.stats.restore(saved.savedStats)
	in.observed.stats.causes = saved.Causes
	in.observed.stats.given, in.observed.stats.before = saved.givenUp, saved.tally()
	return nil
}
