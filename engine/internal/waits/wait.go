package waits

import (
	"slices"
	"time"

	"penstock/engine/observe"
)

// shown is how long a wait lasts before it is told of.
const shown = time.Second

// A Wait is one that is told of, with what only the runtime knows of it.
type Wait struct {
	observe.Wait

	Kind   Kind
	Input  int       // of the stage, counted from 1; 0: none
	Until  time.Time // a held message was snoozed until then; zero: it was not
	isTold bool      // see Begun
}

// Told is what others are told of waits.
func Told(list []Wait) []observe.Wait {
	told := make([]observe.Wait, len(list))
	for k, w := range list {
		told[k] = w.Wait
	}
	return told
}

// SetNotOverdue says of a wait that its reason is good.
func (w *Wait) SetNotOverdue() { w.Overdue, w.Readiness = false, "" }

// WithoutFollowers says of the waits that follow from another one in the list that they are not overdue.
func WithoutFollowers(list []Wait) []Wait {
	cause := slices.ContainsFunc(list, func(w Wait) bool { return !rules[w.Kind].follows })
	for k := range list {
		if cause && rules[list[k].Kind].follows {
			list[k].SetNotOverdue()
		}
	}
	return list
}

// ReasonOf finds among the waits of a stage why it takes nothing from an input (counted from 1), and whether that is a
// good reason for a stage that waits for it and is overdue since a time. It is if it ends by itself, or if the stage
// reports it by its own waits: then those that wait for the stage need not report it again. A held message is no good
// reason, because nothing but the wait for room shows that nothing moves; a Snooze may be one.
func ReasonOf(list []Wait, input int, overdue, now time.Time) (what string, isGood, found bool) {
	var cause *Wait
	for k := range list {
		switch w := &list[k]; {
		case w.Input != 0 && w.Input != input: // of another input
		case w.Kind == Held:
			return "holds the next one (" + w.Detail + ") since " + w.Since.Format(time.TimeOnly), w.excuses(overdue, now), true
		case w.Kind == Function:
			return "works since " + w.Since.Format(time.TimeOnly), true, true
		case cause == nil && !rules[w.Kind].follows:
			cause = w
		}
	}
	if cause == nil {
		return "", false, false
	}
	return "waits for " + cause.String(), true, true
}
