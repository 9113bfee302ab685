package plan

import "time"

// Timer is one of Every, or one of OnTimer, which has a name.
type Timer struct {
	Every time.Duration
	Name  string
}

// Timer is the index of the timer of that name, or -1.
func (s *Stage) Timer(name string) int {
	for t := range s.Timers {
		if s.Timers[t].Name != "" && s.Timers[t].Name == name {
			return t
		}
	}
	return -1
}

// FirstDue is when the timer of a new stage is due: 0 is never.
func (d Timer) FirstDue(now time.Time) int64 {
	if d.Name != "" {
		return 0
	}
	return now.Add(d.Every).UnixNano()
}

// NextDue is when a timer is due that has fired.
func (d Timer) NextDue(due int64, now time.Time) int64 {
	if d.Name != "" {
		return 0
	}
	return NextTick(due, d.Every, now)
}

// NextTick keeps to the beat, and leaves out ticks that were missed. When the
// clock was put back by more than an interval a new beat begins.
func NextTick(due int64, every time.Duration, now time.Time) int64 {
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
