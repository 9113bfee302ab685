package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/redact"
	"penstock/engine/supervise"
)

// recorder looks at a pipeline at an interval, keeps what it saw for an hour, and
// tells those who listen. Safe for concurrent use.
type recorder struct {
	sampler  *sampler
	interval time.Duration
	hub      *hub
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
	Kind   string    `json:"kind"`  // as in engine.StageEvent, or "trigger"
	Reason string    `json:"reason,omitempty"`
	Error  string    `json:"error,omitempty"`
	Stack  string    `json:"stack,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Color  Color     `json:"color"`
}

func newRecorder(p *engine.Pipeline, c Config, h *hub) (*recorder, error) {
	r := &recorder{sampler: newSampler(p), interval: c.Interval, hub: h}
	var err error
	r.triggers, err = newTriggers(c.Triggers, p.Graph(), r.note)
	return r, err
}

func (r *recorder) serve(ctx context.Context) {
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

func (r *recorder) look() {
	s := r.sampler.sample(time.Now())
	r.triggers.look(&s)
	r.history.add(s)
	r.mu.Lock()
	r.last = s
	r.mu.Unlock()
	r.hub.send("sample", s)
}

// newest is the last sample.
func (r *recorder) newest() Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// event keeps an event of the supervisor. It must not block: the pipeline waits.
func (r *recorder) event(e supervise.Event) {
	r.note(Event{
		Time: e.Time, Stage: e.Child, Kind: e.Kind.String(), Reason: reasonOf(e), Error: textOf(e.Err),
		Stack: stackOf(e.Err), Detail: redact.Text(e.Detail), Color: colorOfEvent(e.Kind),
	})
}

func (r *recorder) note(e Event) {
	r.mu.Lock()
	r.number++
	e.Number = r.number
	if r.events = append(r.events, e); len(r.events) > eventsKept {
		r.events = append(r.events[:0], r.events[len(r.events)-eventsKept*3/4:]...)
	}
	r.mu.Unlock()
	r.hub.send("event", e)
}

// eventsAfter returns the events with a greater number.
func (r *recorder) eventsAfter(number uint64) []Event {
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

// textOf is the text of an error, not longer than is of use, and without
// credentials.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return dlq.Cut(redact.Text(err.Error()), dlq.MaxText)
}

func stackOf(err error) string {
	var panicked *supervise.PanicError
	if !errors.As(err, &panicked) {
		return ""
	}
	return dlq.Cut(redact.Text(string(panicked.Stack)), dlq.MaxText)
}

func colorOfEvent(kind supervise.EventKind) Color {
	switch kind {
	case supervise.Failed, supervise.GivenUp, supervise.Escalated, supervise.Abandoned, supervise.RecoveryFailed, supervise.LettersFull,
		supervise.WaitsLong:
		return Red
	case supervise.ForeignMessage, supervise.BackingOff, supervise.Diverted, supervise.SpaceChanged, supervise.StateSize, supervise.BreakerChanged:
		return Orange
	case supervise.HealthChanged:
		return Yellow
	case supervise.Stopped:
		return Grey
	}
	return Green
}
