package engine

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
)

// stats are the counts of an instance that its offsets do not tell. They are
// durable: kept in Badger, and written whenever something rare happens.
type stats struct {
	Starts      atomic.Uint64
	Restarts    atomic.Uint64
	Panics      atomic.Uint64
	Errors      atomic.Uint64
	DeadLetters atomic.Uint64
	Busy        atomic.Int64 // nanoseconds inside the stage's functions, of this process

	unsaved bool       // this and the next are the loop's own
	saved   savedStats // as in Badger
}

type savedStats struct {
	Starts      uint64 `json:"starts"`
	Restarts    uint64 `json:"restarts"`
	Panics      uint64 `json:"panics"`
	Errors      uint64 `json:"errors"`
	DeadLetters uint64 `json:"dead_letters"`
}

const statsNote = "stats"

func (s *stats) read() savedStats {
	return savedStats{s.Starts.Load(), s.Restarts.Load(), s.Panics.Load(), s.Errors.Load(), s.DeadLetters.Load()}
}

func (in *instance) saveStats() {
	in.stats.unsaved = false
	now := in.stats.read()
	if now == in.stats.saved {
		return
	}
	data, err := json.Marshal(now)
	if err == nil {
		err = in.committed.store.PutNote(statsNote, data)
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
	in.stats.saved = saved
	in.stats.Starts.Store(saved.Starts)
	in.stats.Restarts.Store(saved.Restarts)
	in.stats.Panics.Store(saved.Panics)
	in.stats.Errors.Store(saved.Errors)
	in.stats.DeadLetters.Store(saved.DeadLetters)
	return nil
}
