package task

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"penstock/engine/frame"
	"penstock/engine/internal/diskspace"
	"penstock/engine/observe"
)

// stats are the counts of an instance that are not in its frames. They outlive the process: they are stored in Badger,
// and written when something rare happens. Safe for concurrent use.
type stats struct {
	Busy atomic.Int64 // nanoseconds inside the stage's functions, of this process

	unsaved atomic.Bool // to be saved with the next commit

	mu     sync.Mutex // not held while anything is written: counting never waits for the disk
	counts observe.LifeCounts
	causes map[string]uint64 // restarts by why

	saving sync.Mutex         // guards saved, and the order of what is written
	saved  observe.LifeCounts // as in Badger

	given  givenUp     // as it was read
	before frame.Tally // what builds counted here that did not count in the frames
}

// statsRecord is what is in Badger.
type statsRecord struct {
	observe.LifeCounts
	givenUp
	Causes map[string]uint64 `json:"restarts_by_reason,omitempty"`
}

const statsNote = "stats"

// givenUp are counts that are in the frames now. Older builds stored them here: they are kept for a channel without a
// frame that has its own.
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

// count changes the counts of what rarely happens.
func (s *stats) count(change func(counts *observe.LifeCounts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counts)
}

// countRestart counts a restart.
func (s *stats) countRestart(cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Restarts++
	if s.causes == nil {
		s.causes = map[string]uint64{}
	}
	s.causes[cause]++
}

// Read returns the counts.
func (s *stats) Read() observe.LifeCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// ReadAll returns the counts, and the restarts by reason.
func (s *stats) ReadAll() (counts observe.LifeCounts, causes map[string]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts, maps.Clone(s.causes)
}

func (in *Instance) saveStats() {
	err := in.putStats()
	if diskspace.IsNoSpace(err) {
		in.Observed.Stats.unsaved.Store(true)
	} else if err != nil {
		in.Log.Warn("cannot save the counters of the stage", "error", err)
	}
}

// putStats stores the counts if they have changed.
func (in *Instance) putStats() error {
	s := &in.Observed.Stats
	s.saving.Lock()
	defer s.saving.Unlock()
	counts, causes := s.ReadAll()
	if counts == s.saved {
		return nil
	}
	data, err := json.Marshal(statsRecord{counts, s.given, causes})
	if err == nil {
		err = in.Committed.Store.PutNoteUnsynced(statsNote, data)
	}
	if err == nil {
		s.saved = counts
	}
	return err
}

func (in *Instance) LoadStats() error {
	data, found, err := in.Committed.Store.Note(statsNote)
	if err != nil || !found {
		return err
	}
	var saved statsRecord
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("read the counters: %w", err)
	}
	s := &in.Observed.Stats
	s.counts, s.saved, s.causes = saved.LifeCounts, saved.LifeCounts, saved.Causes
	s.given, s.before = saved.givenUp, saved.tally()
	return nil
}
