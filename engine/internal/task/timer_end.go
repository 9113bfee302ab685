package task

import "time"

// A stage that has come to its end calls each timer that is due then, once. Later
// ticks are left out: a timer that is due in every round would keep the stage
// from ending.

// isAtEnd says that no message comes any more, in this run at least.
func (t *Task) isAtEnd() bool {
	return t.inputsExhausted() || t.ReadersEnded() || t.Run.IsDraining() && t.inputsQuiet()
}

// isAfterEnd says that a timer has become due after the end of the stage. It is
// asked of timers that are due.
func (t *Task) isAfterEnd(timer int, now time.Time) bool {
	if !t.isAtEnd() {
		t.timers.atEnd = nil
		return false
	}
	if t.timers.atEnd == nil {
		t.timers.atEnd = make([]int64, len(t.timers.due))
		for k, due := range t.timers.due {
			if due != 0 && t.left(k, now) <= 0 {
				t.timers.atEnd[k] = due
			}
		}
	}
	return t.timers.due[timer] != t.timers.atEnd[timer]
}
