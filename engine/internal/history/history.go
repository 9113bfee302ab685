package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"penstock/dlq"
	"penstock/engine/internal/ports"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// History is the ring of an instance's events: each has a note of its own, so
// that adding one writes no other. Safe for concurrent use.
type History struct {
	mu    sync.Mutex
	store ports.Store
	last  uint64            // number of the newest
	later map[string][]byte // notes that are not written yet
}

// mostText bounds an event's error and stack, each.
const mostText = 8 << 10

func noteOf(number uint64) string { return fmt.Sprintf("event-%d", number%observe.HistorySize) }

// Open finds where the ring goes on.
func (h *History) Open(store ports.Store) error {
	events, err := Read(store)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.store = store
	if len(events) > 0 {
		h.last = events[len(events)-1].Number
	}
	return nil
}

// Flush writes what was added. It outlives the process from then on, and a cut
// of the power from the next checkpoint on.
func (h *History) Flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.later) == 0 {
		return nil
	}
	if err := h.store.PutNotesUnsynced(h.later); err != nil {
		return err
	}
	clear(h.later)
	return nil
}

// Add keeps an event from the next flush on.
func (h *History) Add(e supervise.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	kept := observe.StageEvent{
		Number: h.last, Time: e.Time, Stage: e.Child, Kind: e.Kind.String(), Restart: e.Restart, Delay: e.Delay, Detail: e.Detail,
	}
	if e.Kind.HasReason() {
		kept.Reason = e.Reason.String()
	}
	if e.Err != nil {
		kept.Error = cut(e.Err.Error())
		var panicked *supervise.PanicError
		if errors.As(e.Err, &panicked) && e.Kind == supervise.Failed {
			kept.Stack = cut(string(panicked.Stack))
		}
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	if h.later == nil {
		h.later = map[string][]byte{}
	}
	h.later[noteOf(h.last)] = data
	return nil
}

func cut(text string) string {
	return dlq.Cut(text, mostText)
}

// Read returns the events that are kept, the oldest first.
func Read(store ports.Store) ([]observe.StageEvent, error) {
	var events []observe.StageEvent
	for n := range uint64(observe.HistorySize) {
		data, found, err := store.Note(noteOf(n))
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		if !found {
			continue
		}
		var e observe.StageEvent
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		events = append(events, e)
	}
	sort.Slice(events, func(a, b int) bool { return events[a].Number < events[b].Number })
	return events, nil
}

// Merge puts the events of several instances in the order of their times, and keeps the newest.
func Merge(instances [][]observe.StageEvent) []observe.StageEvent {
	if len(instances) == 1 {
		return instances[0]
	}
	all := slices.Concat(instances...)
	slices.SortStableFunc(all, func(a, b observe.StageEvent) int { return a.Time.Compare(b.Time) })
	return all[max(len(all)-observe.HistorySize, 0):]
}
