package waits

import (
	"fmt"
	"time"

	"penstock/engine/internal/quarantine"
	"penstock/engine/observe"
)

// Kind is what can be waited for.
type Kind uint8

// The kinds of waits. docs/operations.md says what each means and what to do about it.
const (
	Commit Kind = iota
	Room
	ReadAhead
	Batch
	Reader
	Function
	Held
	Attempt
	Unavailable
	Breaker
	Letters
	Replays
	Turn
	Disk
	Broker
	Answer
	Permission
	Checkpoint
	Drain
	kinds
)

// rule says of a kind of wait how long it may last, and what it means.
type rule struct {
	name      string
	patience  time.Duration // for good reasons; 0: it is never overdue
	readiness string        // while it is overdue
	follows   bool          // from another wait of the same stage: it is overdue only when there is none
}

// rules has one of each kind.
var rules = [kinds]rule{
	Commit:      {"commit", 30 * time.Second, observe.NotReady, false},
	Room:        {"room", 30 * time.Second, observe.NotReady, false},
	ReadAhead:   {"read-ahead", 30 * time.Second, observe.NotReady, true},
	Batch:       {"batch", 30 * time.Second, observe.NotReady, true},
	Reader:      {"reader", 15 * time.Second, observe.NotReady, false},
	Function:    {"user function", 0, "", false},
	Held:        {"held message", 0, "", false},
	Attempt:     {"attempt delay", 0, "", false},
	Unavailable: {observe.WaitUnavailable, shown, observe.Degraded, false}, // or as Config.UnavailableReadiness says
	Breaker:     {"circuit breaker", 0, "", false},
	Letters:     {"dead letter store", 30 * time.Second, observe.NotReady, false},
	Replays:     {"replays", time.Minute, observe.Degraded, false},
	Turn:        {"turn", quarantine.Limit + time.Minute, observe.Degraded, false},
	Disk:        {"disk space", 0, "", false}, // told of by the events and the status of the disk
	Broker:      {"broker", 15 * time.Second, observe.NotReady, false},
	Answer:      {"server", 3 * time.Second, observe.NotReady, false},
	Permission:  {"permission", time.Second, observe.NotReady, false},
	Checkpoint:  {"checkpoint", time.Minute, observe.Degraded, false},
	Drain:       {"drain", 0, "", false},
}

func (k Kind) String() string {
	if k < kinds {
		return rules[k].name
	}
	return fmt.Sprintf("wait %d", uint8(k))
}

// isToldElsewhere says that the beginning and the end of a wait are logged where they happen, with more than is known
// here.
func (k Kind) isToldElsewhere() bool { return k == Unavailable }

// Lasts is how long a wait of the kind may last, with the patience of a run; see [Set.List].
func (k Kind) Lasts(patience time.Duration) time.Duration {
	if patience == 0 {
		return rules[k].patience
	}
	return patience
}

func (k Kind) isOverdue(lasts, patience time.Duration) bool {
	patience = k.Lasts(patience)
	return rules[k].patience > 0 && patience > 0 && lasts > patience
}
