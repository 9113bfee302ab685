package supervise

import (
	"sync"
	"time"
)

// EventKind says what happened to a child, in plain lower-case words. A child's owner may have kinds of its own.
type EventKind string

// A child's life: Starting, perhaps Up, any number of rounds of Failed, BackingOff and Restarting, and at the end
// Stopped, GivenUp or Escalated.
const (
	Starting       EventKind = "starting"        // it is started for the first time in this run of its group
	Up             EventKind = "running"         // it said Running
	Failed         EventKind = "fault"           // it failed, see Reason and Err; also on its way out when it was told to stop
	BackingOff     EventKind = "backing off"     // it is started again after Delay
	Restarting     EventKind = "restarting"      // it is started again now
	Stopped        EventKind = "stopped"         // it ended normally, or because it was told to: see Reason
	Escalated      EventKind = "escalated"       // its failure ends its group, see Err
	GivenUp        EventKind = "given up"        // it ended and is not started again, see Reason and Err
	Abandoned      EventKind = "abandoned"       // it did not stop in time, its goroutine was left behind
	HealthChanged  EventKind = "health"          // the level of a health check changed, see Detail
	RecoveryFailed EventKind = "recovery failed" // its recovery function panicked or took too long, see Err
)

// String returns the kind as it is.
func (k EventKind) String() string { return string(k) }

// HasReason says whether an event of this kind says in Reason why a child ended.
func (k EventKind) HasReason() bool {
	switch k {
	case Failed, BackingOff, Restarting, Stopped, GivenUp, Escalated:
		return true
	}
	return false
}

// Event is one step in a child's life.
type Event struct {
	Time    time.Time
	Group   string // path of the group: "" is the root, "back", "back/inner"
	Child   string
	Kind    EventKind
	Reason  Reason        // where Kind.HasReason: why it ended
	Err     error         // of Failed, BackingOff, Escalated, GivenUp and RecoveryFailed
	Restart int           // of BackingOff and Restarting: failures since the last progress or quiet time; 0 if only a sibling failed
	Delay   time.Duration // of BackingOff
	Detail  string        // of HealthChanged: "degraded: cache cold"; of Abandoned: how long it was waited for; of Failed: "no restart" when it goes on
}

// ChildEnd tells a group's own handler that one of its children ended, and what follows.
type ChildEnd struct {
	Group, Child string
	Policy       Policy
	Reason       Reason
	Err          error // of a failure; nil for a normal end, and for one that was asked for
	Restarting   bool  // it is started again after its delay
}

// tree is what the groups of one run share: a line to the observer, which hears one event at a time, and whom they left
// behind.
type tree struct {
	mu        sync.Mutex
	onEvent   func(Event) // nil if there is none, or once the root's Serve has returned
	leftovers leftovers
}

func (t *tree) emit(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.onEvent != nil {
		e.Time = time.Now()
		_ = Call(func() error { t.onEvent(e); return nil })
	}
}

func (t *tree) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onEvent = nil
}
