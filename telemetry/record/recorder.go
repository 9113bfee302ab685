package record

import (
	"context"
	"sync"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/redact"
	"penstock/engine/supervise"
	"penstock/telemetry/internal/text"
)

// Recorder looks at a pipeline at an interval, keeps what it saw for an hour, and
// tells those who listen. Safe for concurrent use.
type Recorder struct {
	sampler  *sampler
	interval time.Duration
	hub      *Hub
	history  history
	triggers *triggers

	mu     sync.Mutex
	last   Sample
	events []Event // the newest, the oldest first
	number uint64
}

// eventsKept is how many events are kept in memory.
const eventsKept = 1000

// Event is something that happened to a stage or group.
type Event struct {
	Number uint64    `json:"number"` // 1, 2, 3 … in this process
	Time   time.Time `json:"time"`
	Stage  string    `json:"stage"` // or group
	Kind   string    `json:"kind"`  // as in observe.StageEvent, or "trigger"
	Reason string    `json:"reason,omitempty"`
	Error  string    `json:"error,omitempty"`
	Stack  string    `json:"stack,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Color  Color     `json:"color"`
}

// NewRecorder refuses triggers that make no sense for the pipeline.
func NewRecorder(p *engine.Pipeline, interval time.Duration, list []Trigger, h *Hub) (*Recorder, error) {
	r := &Recorder{sampler: newSampler(p), interval: interval, hub: h}
	var err error
	r.triggers, err = newTriggers(list, p.Graph(), r.note)
	return r, err
}

// Serve looks at the pipeline until ctx is done.
func (r *Recorder) Serve(ctx context.Context) {
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for {
		r.look()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (r *Recorder) look() {
	s := r.sampler.sample(time.Now())
	r.triggers.look(&s)
	r.history.add(s)
	r.mu.Lock()
	r.last = s
	r.mu.Unlock()
	r.hub.Send("sample", s)
}

// EachTrigger calls fn with every trigger, and with how many stages or channels it finds out of bounds.
func (r *Recorder) EachTrigger(fn func(t Trigger, out int64)) { r.triggers.each(fn) }

// Newest is the last sample.
func (r *Recorder) Newest() Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// Since returns the samples after a time, the oldest first.
func (r *Recorder) Since(after time.Time) []Sample { return r.history.Since(after) }

// Event keeps an event of the supervisor. It must not block: the pipeline waits.
func (r *Recorder) Event(e supervise.Event) {
	r.note(Event{
		Time: e.Time, Stage: e.Child, Kind: e.Kind.String(), Reason: reasonOf(e), Error: text.OfError(e.Err),
		Stack: text.StackOf(e.Err), Detail: redact.Text(e.Detail), Color: colorOfEvent(e.Kind),
	})
}

func (r *Recorder) note(e Event) {
	r.mu.Lock()
	r.number++
	e.Number = r.number
	if r.events = append(r.events, e); len(r.events) > eventsKept {
		r.events = append(r.events[:0], r.events[len(r.events)-eventsKept*3/4:]...)
	}
	r.mu.Unlock()
	r.hub.Send("event", e)
}

// EventsAfter returns the events with a greater number.
func (r *Recorder) EventsAfter(number uint64) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := []Event{}
	for _, e := range r.events {
		if e.Number > number {
			list = append(list, e)
		}
	}
	return list
}

func reasonOf(e supervise.Event) string {
	if e.Kind.HasReason() {
		return e.Reason.String()
	}
	return ""
}

func colorOfEvent(kind supervise.EventKind) Color {
	switch kind {
	case supervise.Failed, supervise.GivenUp, supervise.Escalated, supervise.Abandoned, supervise.RecoveryFailed, observe.LettersFull,
		observe.WaitsLong, observe.TakenOver:
		return Red
	case observe.ForeignMessage, supervise.BackingOff, observe.Diverted, observe.SpaceChanged, observe.StateSize, observe.BreakerChanged:
		return Orange
	case supervise.HealthChanged:
		return Yellow
	case supervise.Stopped:
		return Grey
	}
	return Green
}
