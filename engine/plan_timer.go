package engine

import "time"

// timerDefinition is a timer of Every, or one of OnTimer, which has a name.
type timerDefinition struct {
	every time.Duration
	name  string
}

// timer is the index of the timer of that name, or -1.
func (d *definition) timer(name string) int {
	for t := range d.timers {
		if d.timers[t].name != "" && d.timers[t].name == name {
			return t
		}
	}
	return -1
}

// firstDue is when the timer of a new stage is due: 0 is never.
func (d timerDefinition) firstDue(now time.Time) int64 {
	if d.name != "" {
		return 0
	}
	return now.Add(d.every).UnixNano()
}

// nextDue is when a timer is due that has fired.
func (d timerDefinition) nextDue(due int64, now time.Time) int64 {
	if d.name != "" {
		return 0
	}
	return nextTick(due, d.every, now)
}

// nextTick keeps to the beat, and leaves out ticks that were missed. When the
// clock was put back by more than an interval a new beat begins.
func nextTick(due int64, every time.Duration, now time.Time) int64 {
	next := due + int64(every)
	late := now.UnixNano() - next
	switch {
	case late > 0:
		next += (late/int64(every) + 1) * int64(every)
	case late <= -2*int64(every):
		next = now.Add(every).UnixNano()
	}
	return next
}
