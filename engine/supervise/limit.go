package supervise

import (
	"fmt"
	"slices"
	"time"
)

// Limit bounds the restarts in a sliding window. A restart counts until Window has passed since the failure that led to
// it; a failure that finds Restarts of them escalates: its group ends with a *LimitError. The zero value is 5 in 60 s.
type Limit struct {
	Restarts int           // default 5; negative: no limit
	Window   time.Duration // default 60 s
}

func (l Limit) withDefaults() Limit {
	if l.Restarts == 0 {
		l.Restarts = 5
	}
	if l.Window <= 0 {
		l.Window = time.Minute
	}
	return l
}

// LimitError says that a child failed more often than its limit allows. It is how its group ends.
type LimitError struct {
	Group string // path of the group; at the root the name of the Supervisor, which may be empty
	Child string
	Limit Limit
	Cause error // the last failure; nil if a permanent child ended without one
}

// Error names the group, the child, the limit and the last failure.
func (e *LimitError) Error() string {
	cause := "it ended without an error"
	if e.Cause != nil {
		cause = e.Cause.Error()
	}
	return fmt.Sprintf("%schild %q failed %d times within %v (limit %d): %s",
		groupPrefix(e.Group), e.Child, e.Limit.Restarts+1, e.Limit.Window, e.Limit.Restarts, cause)
}

// Unwrap returns Cause.
func (e *LimitError) Unwrap() error { return e.Cause }

// account counts restarts on one limit.
type account struct {
	limit Limit
	times []time.Time // of the restarts that still count, oldest first
}

func newAccount(l Limit) *account { return &account{limit: l.withDefaults()} }

// take counts a restart; it returns false, and counts nothing, when the limit is reached.
func (a *account) take(now time.Time) bool {
	if a.limit.Restarts < 0 {
		return true
	}
	a.times = slices.DeleteFunc(a.times, func(t time.Time) bool { return now.Sub(t) >= a.limit.Window })
	if len(a.times) >= a.limit.Restarts {
		return false
	}
	a.times = append(a.times, now)
	return true
}
