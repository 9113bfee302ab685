package waits

import (
	"slices"
	"sync/atomic"
	"time"

	"penstock/engine/internal/ports"
	"penstock/engine/internal/wall"
	"penstock/engine/observe"
	"penstock/engine/redact"
)

// A Set has the waits that are under way, at most one of a kind. The zero value has none. Safe for concurrent use.
type Set struct {
	Clock    ports.Clock // nil: the time of day
	underWay [kinds]atomic.Pointer[Begun]
}

// Begun is a wait that is under way.
type Begun struct {
	Detail string
	Since  time.Time // zero: now
	IsTold bool      // its beginning and its end are logged by who waits
}

// Begin says that a wait is under way. One that is under way already keeps its start, and has this detail from now on.
func (s *Set) Begin(kind Kind, detail string) {
	s.BeginAs(kind, Begun{Detail: detail, IsTold: kind.isToldElsewhere()})
}

// BeginAs is Begin with more than a detail.
func (s *Set) BeginAs(kind Kind, wait Begun) {
	slot := &s.underWay[kind]
	var begun *Begun
	for {
		before := slot.Load()
		if before != nil && before.Detail == wait.Detail && before.IsTold == wait.IsTold {
			return
		}
		if begun == nil {
			begun = &Begun{Detail: wait.Detail, IsTold: wait.IsTold}
		}
		switch {
		case before != nil:
			begun.Since = before.Since
		case wait.Since.IsZero():
			begun.Since = s.Now()
		default:
			begun.Since = wait.Since
		}
		if slot.CompareAndSwap(before, begun) {
			return
		}
	}
}

// End says that a wait is over, if it is under way.
func (s *Set) End(kind Kind) {
	if slot := &s.underWay[kind]; slot.Load() != nil {
		slot.Store(nil)
	}
}

// Note begins or ends a wait.
func (s *Set) Note(kind Kind, waits bool, detail string) {
	if waits {
		s.Begin(kind, detail)
	} else {
		s.End(kind)
	}
}

// EndAll ends the waits of all other kinds.
func (s *Set) EndAll(except ...Kind) {
	for kind := range kinds {
		if !slices.Contains(except, kind) {
			s.End(kind)
		}
	}
}

// Now is the time by the clock of the set.
func (s *Set) Now() time.Time {
	if s.Clock == nil {
		return wall.Now()
	}
	return s.Clock.Now()
}

// List are the waits to tell of now. With patience 0 each kind has its own; more than 0 is that of all kinds that have
// one; with less than 0 none is overdue.
func (s *Set) List(now time.Time, patience time.Duration) (list []Wait) {
	for kind := range kinds {
		begun := s.underWay[kind].Load()
		if begun == nil || now.Sub(begun.Since) < shown {
			continue
		}
		lasts := now.Sub(begun.Since)
		wait := Wait{Kind: kind, isTold: begun.IsTold, Wait: observe.Wait{For: kind.String(), Detail: redact.Text(begun.Detail), Since: begun.Since, Seconds: lasts.Seconds()}}
		if wait.Overdue = kind.isOverdue(lasts, patience); wait.Overdue {
			wait.Readiness = rules[kind].readiness
		}
		list = append(list, wait)
	}
	return list
}
