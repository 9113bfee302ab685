package engine

import "time"

// A stage that has come to its end calls each timer that is due then, once. Later
// ticks are left out: a timer that is due in every round would keep the stage
// from ending.

// isAtEnd says that no message comes any more, in this run at least.
func (in *session) isAtEnd() bool {
	return in.inputsExhausted() || in.readersEnded() || in.run.isDraining() && in.inputsQuiet()
}

// isAfterEnd says that a timer has become due after the end of the stage. It is
// asked of timers that are due.
func (in *session) isAfterEnd(timer int, now time.Time) bool {
	if !in.isAtEnd() {
		in.timers.atEnd = nil
		return false
	}
	if in.timers.atEnd == nil {
		in.timers.atEnd = make([]int64, len(in.timers.due))
		for t, due := range in.timers.due {
			if due != 0 && in.left(t, now) <= 0 {
				in.timers.atEnd[t] = due
			}
		}
	}
	return in.timers.due[timer] != in.timers.atEnd[timer]
}
