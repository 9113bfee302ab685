package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/supervise"
)

// StageEvent is one step in the life of a stage, as it is kept in the
// pipeline's directory.
type StageEvent struct {
	Number  uint64        `json:"number"` // 1, 2, 3 … since the pipeline's fresh start
	Time    time.Time     `json:"time"`
	Stage   string        `json:"stage"`
	Kind    string        `json:"kind"`             // as supervise.EventKind says it: "starting", "fault", "restarting" …
	Reason  string        `json:"reason,omitempty"` // "normal", "error", "panic", "unhealthy", "shutdown"; of an end, and of the restart after it
	Error   string        `json:"error,omitempty"`
	Stack   string        `json:"stack,omitempty"` // of a panic
	Restart int           `json:"restart,omitempty"`
	Delay   time.Duration `json:"delay_ns,omitempty"`
	Detail  string        `json:"detail,omitempty"`
}

// HistorySize is how many of a stage's newest events are kept.
const HistorySize = 64

// history is the ring of an instance's events: each has a note of its own, so
// that adding one writes no other. Safe for concurrent use.
type history struct {
	mu    sync.Mutex
	store ports.Store
	last  uint64            // number of the newest
	later map[string][]byte // notes that are not written yet
}

// historyText bounds an event's error and stack, each.
const historyText = 8 << 10

func historyNote(number uint64) string { return fmt.Sprintf("event-%d", number%HistorySize) }

// open finds where the ring goes on.
func (h *history) open(store ports.Store) error {
	events, err := readHistory(store)
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

// flush writes what was added. It outlives the process from then on, and a cut
// of the power from the next checkpoint on.
func (h *history) flush() error {
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

// add keeps an event from the next flush on.
func (h *history) add(e supervise.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	kept := StageEvent{
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
	h.later[historyNote(h.last)] = data
	return nil
}

func cut(text string) string {
	return dlq.Cut(text, historyText)
}

// readHistory returns the events that are kept, the oldest first.
func readHistory(store ports.Store) ([]StageEvent, error) {
	var events []StageEvent
	for n := range uint64(HistorySize) {
		data, found, err := store.Note(historyNote(n))
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		if !found {
			continue
		}
		var e StageEvent
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		events = append(events, e)
	}
	sort.Slice(events, func(a, b int) bool { return events[a].Number < events[b].Number })
	return events, nil
}

// History returns the newest events of a stage of the running pipeline, the
// oldest first and at most HistorySize, also those of earlier processes. Safe
// for concurrent use.
func (p *Pipeline) History(stage string) ([]StageEvent, error) {
	in, err := p.running(stage)
	if err == nil {
		err = in.observed.history.flush()
	}
	if err != nil {
		return nil, err
	}
	return readHistory(in.committed.Store)
}

// History is Pipeline.History for a pipeline that is not running.
func (i *Inspector) History(stage string) ([]StageEvent, error) {
	if err := plan.CheckName("stage", stage); err != nil {
		return nil, err
	}
	store := i.store.Instance(plan.Only(stage).String())
	_, found, err := store.Note(shapeNote)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: pipeline %s has no stage %q", ErrNoState, i.pipeline, stage)
	}
	return readHistory(store)
}
