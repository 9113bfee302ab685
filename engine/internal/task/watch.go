package task

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// watch knows how long a task has been in one call of its stage's
// functions. Without a deadline it costs a comparison. Safe for concurrent use.
type watch struct {
	deadline time.Duration // 0: off
	calls    atomic.Uint64 // odd while a call is under way; what it is:
	unit     atomic.Pointer[string]
	input    atomic.Int64
	origin   atomic.Uint64 // offset less calls/2: the same for messages in a row
	batched  atomic.Int64
	key      atomic.Pointer[string] // of the state at hand

	mu    sync.Mutex
	seen  uint64 // the call under way when it was last looked at
	since time.Time
}

// watchedCall is a call under way: of a message, or of a unit that is none.
type watchedCall struct {
	unit    string // "" for messages
	input   int
	offset  uint64 // of the first message
	batched int
	key     string
}

func (w *watch) enterMessages(input int, offset uint64, batched int) {
	if w.deadline == 0 {
		return
	}
	next := w.next()
	w.forget()
	// A store costs more than all the rest: most messages need only that of calls.
	if w.input.Load() != int64(input) {
		w.input.Store(int64(input))
	}
	if w.batched.Load() != int64(batched) {
		w.batched.Store(int64(batched))
	}
	if origin := offset - next/2; w.origin.Load() != origin {
		w.origin.Store(origin)
	}
	w.calls.Store(next)
}

func (w *watch) enterUnit(unit string) {
	if w.deadline == 0 {
		return
	}
	named := unit // so that only a watched call costs an allocation
	next := w.next()
	w.forget()
	w.unit.Store(&named)
	w.calls.Store(next)
}

// next numbers the next call, also when the one before did not leave, because
// it panicked. Only the goroutine that calls the functions changes calls.
func (w *watch) next() uint64 { return (w.calls.Load() + 1) | 1 }

func (w *watch) forget() {
	if w.unit.Load() != nil {
		w.unit.Store(nil)
	}
	if w.key.Load() != nil {
		w.key.Store(nil)
	}
}

// leave does nothing when no call is under way.
func (w *watch) leave() {
	if w.deadline == 0 {
		return
	}
	if calls := w.calls.Load(); calls%2 == 1 {
		w.calls.Store(calls + 1)
	}
}

func (w *watch) stateOf(key *string) {
	if w.deadline > 0 {
		w.key.Store(key)
	}
}

// overdue returns the call under way if it was under way already a deadline
// ago.
func (w *watch) overdue(now time.Time) *watchedCall {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls.Load()
	if calls != w.seen {
		w.seen, w.since = calls, now
	}
	if calls%2 == 0 || now.Sub(w.since) < w.deadline {
		return nil
	}
	call := watchedCall{input: int(w.input.Load()), offset: w.origin.Load() + calls/2, batched: int(w.batched.Load())}
	if unit := w.unit.Load(); unit != nil {
		call.unit = *unit
	}
	if key := w.key.Load(); key != nil {
		call.key = *key
	}
	if w.calls.Load() != calls { // it ended meanwhile: this may be half of the next
		return nil
	}
	return &call
}

// watchdog is the check that looks for an overdue call.
func (in *Instance) watchdog(deadline time.Duration) supervise.Check {
	return supervise.Check{
		Name:      "deadline",
		Interval:  max(deadline/8, time.Millisecond),
		Threshold: 1,
		Probe: func(context.Context) supervise.Health {
			s := in.Task.Load()
			if s == nil {
				return supervise.Well()
			}
			call := s.Code.watch.overdue(time.Now())
			if call == nil {
				call = s.Code.saving.overdue(time.Now())
			}
			if call == nil {
				return supervise.Well()
			}
			in.Fault.overdue.Store(call)
			health := supervise.Unwell(fmt.Sprintf("in %s for longer than %v", in.callName(call), deadline))
			health.Uncounted = call.unit == "" && in.Definition.Options.Attempts != plan.Unlimited
			return health
		},
	}
}

func (in *Instance) callName(c *watchedCall) string {
	if c.unit != "" {
		return named(c.unit)
	}
	edge := in.edge(c.input)
	return "message " + edge.Message(c.offset)
}
