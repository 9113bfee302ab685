package task

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"penstock/engine/internal/ports"
	"penstock/engine/internal/quarantine"
	"penstock/engine/internal/wall"
	"penstock/engine/observe"
	"penstock/engine/redact"
)

// waitKind is what can be waited for.
type waitKind uint8

const (
	waitCommit waitKind = iota
	waitRoom
	waitReadAhead
	waitBatch
	waitReader
	waitFunction
	waitHeld
	waitAttempt
	waitUnavailable
	waitBreaker
	waitLetters
	waitReplays
	waitTurn
	waitDisk
	waitBroker
	waitAnswer
	waitPermission
	waitCheckpoint
	waitDrain
	waitKinds
)

// waitRule says of a kind of wait how long it may last, and what it means.
type waitRule struct {
	name      string
	patience  time.Duration // for good reasons; 0: it is never overdue
	readiness string        // while it is overdue
	follows   bool          // from another wait of the same stage: it is overdue only when there is none
}

// waitRules has one of each kind. docs/operations.md says what to do about them.
var waitRules = [waitKinds]waitRule{
	waitCommit:      {"commit", 30 * time.Second, observe.NotReady, false},
	waitRoom:        {"room", 30 * time.Second, observe.NotReady, false},
	waitReadAhead:   {"read-ahead", 30 * time.Second, observe.NotReady, true},
	waitBatch:       {"batch", 30 * time.Second, observe.NotReady, true},
	waitReader:      {"reader", 15 * time.Second, observe.NotReady, false},
	waitFunction:    {"user function", 0, "", false},
	waitHeld:        {"held message", 0, "", false},
	waitAttempt:     {"attempt delay", 0, "", false},
	waitUnavailable: {observe.WaitUnavailable, waitShown, observe.Degraded, false}, // or as Config.UnavailableReadiness says
	waitBreaker:     {"circuit breaker", 0, "", false},
	waitLetters:     {"dead letter store", 30 * time.Second, observe.NotReady, false},
	waitReplays:     {"replays", time.Minute, observe.Degraded, false},
	waitTurn:        {"turn", quarantine.Limit + time.Minute, observe.Degraded, false},
	waitDisk:        {"disk space", 0, "", false}, // told of by the events and the status of the disk
	waitBroker:      {"broker", 15 * time.Second, observe.NotReady, false},
	waitAnswer:      {"server", 3 * time.Second, observe.NotReady, false},
	waitPermission:  {"permission", time.Second, observe.NotReady, false},
	waitCheckpoint:  {"checkpoint", time.Minute, observe.Degraded, false},
	waitDrain:       {"drain", 0, "", false},
}

func (k waitKind) String() string {
	if k < waitKinds {
		return waitRules[k].name
	}
	return fmt.Sprintf("wait %d", uint8(k))
}

// isToldElsewhere says that the beginning and the end of a wait are logged where
// they happen, with more than is known here.
func (k waitKind) isToldElsewhere() bool { return k == waitUnavailable }

// waits are those that are under way, at most one of a kind. The zero value has
// none. Safe for concurrent use.
type waits struct {
	clock    ports.Clock // nil: the time of day
	underWay [waitKinds]atomic.Pointer[underWay]
}

type underWay struct {
	detail string
	since  time.Time
	isTold bool // its beginning and its end are logged by who waits
}

// begin says that a wait is under way. One that is under way already keeps its
// start, and has this detail from now on.
func (w *waits) begin(kind waitKind, detail string) {
	w.set(kind, underWay{detail: detail, isTold: kind.isToldElsewhere()})
}

// set is begin with more than a detail. Without a time it begins now.
func (w *waits) set(kind waitKind, wait underWay) {
	slot := &w.underWay[kind]
	var begun *underWay
	for {
		before := slot.Load()
		if before != nil && before.detail == wait.detail && before.isTold == wait.isTold {
			return
		}
		if begun == nil {
			begun = &underWay{detail: wait.detail, isTold: wait.isTold}
		}
		switch {
		case before != nil:
			begun.since = before.since
		case wait.since.IsZero():
			begun.since = w.now()
		default:
			begun.since = wait.since
		}
		if slot.CompareAndSwap(before, begun) {
			return
		}
	}
}

// end says that a wait is over, if it is under way.
func (w *waits) end(kind waitKind) {
	if slot := &w.underWay[kind]; slot.Load() != nil {
		slot.Store(nil)
	}
}

func (w *waits) now() time.Time {
	if w.clock == nil {
		return wall.Now()
	}
	return w.clock.Now()
}

// waitShown is how long a wait lasts before it is told of.
const waitShown = time.Second

// A currentWait is a wait with what only the runtime knows of it.
type currentWait struct {
	observe.Wait

	kind   waitKind
	isTold bool      // see underWay
	input  int       // of the stage, counted from 1; 0: none
	until  time.Time // a held message was snoozed until then; zero: it was not
}

// Told is what others are told of waits.
func Told(waits []currentWait) []observe.Wait {
	list := make([]observe.Wait, len(waits))
	for k, w := range waits {
		list[k] = w.Wait
	}
	return list
}

// List are the waits to tell of now. With patience 0 each kind has its own; more
// than 0 is that of all kinds that have one; with less than 0 none is overdue.
func (w *waits) List(now time.Time, patience time.Duration) (list []currentWait) {
	for kind := range w.underWay {
		u := w.underWay[kind].Load()
		if u == nil || now.Sub(u.since) < waitShown {
			continue
		}
		rule, lasts := &waitRules[kind], now.Sub(u.since)
		wait := currentWait{kind: waitKind(kind), isTold: u.isTold, Wait: observe.Wait{For: rule.name, Detail: redact.Text(u.detail), Since: u.since, Seconds: lasts.Seconds()}}
		if wait.Overdue = rule.isOverdue(lasts, patience); wait.Overdue {
			wait.Readiness = rule.readiness
		}
		list = append(list, wait)
	}
	return list
}

func (r *waitRule) isOverdue(lasts, patience time.Duration) bool {
	patience = r.lasts(patience)
	return r.patience > 0 && patience > 0 && lasts > patience
}

// lasts is how long a wait of the kind may last, with the patience of a run.
func (r *waitRule) lasts(patience time.Duration) time.Duration {
	if patience == 0 {
		return r.patience
	}
	return patience
}

// withoutFollowers says of the waits that follow from another one in the list
// that they are not overdue.
func withoutFollowers(list []currentWait) []currentWait {
	cause := slices.ContainsFunc(list, func(wait currentWait) bool { return !waitRules[wait.kind].follows })
	for k := range list {
		if cause && waitRules[list[k].kind].follows {
			list[k].Overdue, list[k].Readiness = false, ""
		}
	}
	return list
}
