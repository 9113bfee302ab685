package waits

import (
	"sync/atomic"
	"time"
)

// excuses says whether a held message is a good reason for those who wait for the stage. A Snooze is one until it ends:
// the message asked for that. A Snooze that began only when they were overdue is none: a stage that answers with one
// again and again moves nothing.
func (w *Wait) excuses(overdue, now time.Time) bool {
	return w.Since.Before(overdue) && now.Before(w.Until.Add(shown))
}

// Excuse remembers when a wait last had a good reason. Safe for concurrent use.
type Excuse struct{ last atomic.Int64 } // Unix nanoseconds

// Covers reports whether a wait is not overdue: it has a good reason now, or had one less than its patience ago, since
// what it waits for needs some time after the reason has ended.
func (e *Excuse) Covers(isGood bool, now time.Time, patience time.Duration) bool {
	if isGood {
		e.last.Store(now.UnixNano())
	}
	return now.UnixNano()-e.last.Load() <= int64(patience)
}
