package supervise

import (
	"slices"
	"sort"
	"time"
)

// agenda is what a manager has to do at a later time. It is the manager's alone.
type agenda []appointment

type appointment struct {
	at    time.Time
	owner any // whose end makes it void
	do    func()
}

// add enters do behind what is due at the same time.
func (a *agenda) add(owner any, at time.Time, do func()) {
	i := sort.Search(len(*a), func(i int) bool { return (*a)[i].at.After(at) })
	*a = slices.Insert(*a, i, appointment{at, owner, do})
}

func (a *agenda) drop(owner any) {
	*a = slices.DeleteFunc(*a, func(p appointment) bool { return p.owner == owner })
}

// due takes the first that is due, or returns nil.
func (a *agenda) due(now time.Time) func() {
	if len(*a) == 0 || (*a)[0].at.After(now) {
		return nil
	}
	do := (*a)[0].do
	*a = slices.Delete(*a, 0, 1)
	return do
}

// next returns a timer for the first one, or nil.
func (a agenda) next() *time.Timer {
	if len(a) == 0 {
		return nil
	}
	return time.NewTimer(time.Until(a[0].at))
}
