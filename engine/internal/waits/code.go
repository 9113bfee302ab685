package waits

import (
	"sync"
	"sync/atomic"
	"time"

	"penstock/engine/observe"
)

// InCode notes since when the user's code is in one call, or a stage's loop in one round of calls, which is short
// unless a call is long. Entering and leaving belong to one goroutine; who asks finds out when it asks a second time.
type InCode struct {
	count atomic.Uint64 // odd inside

	mu    sync.Mutex
	seen  uint64
	since time.Time
}

// Enter is called before the user's code.
func (c *InCode) Enter() { c.count.Store((c.count.Load() + 1) | 1) }

// Leave is called after it.
func (c *InCode) Leave() { c.count.Store((c.count.Load() + 1) &^ 1) }

// Wait is for the function, if it was under way already when it was asked last.
func (c *InCode) Wait(now time.Time, detail string) (Wait, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := c.count.Load()
	if count != c.seen || c.since.IsZero() {
		c.seen, c.since = count, now
	}
	lasts := now.Sub(c.since)
	if count%2 == 0 || lasts < shown {
		return Wait{}, false
	}
	return Wait{Kind: Function, Wait: observe.Wait{For: Function.String(), Detail: detail, Since: c.since, Seconds: lasts.Seconds()}}, true
}
