package channel

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// patience is how long one request is waited for. A request to a leader that has just died is never answered, so the
// first waits are short; each that was in vain is a quarter longer, because an answer may be large, or the disk slow.
// So what waits on when the server is back is a quarter of the time that it was away. Of requests that waited side by
// side only the first to end makes the next waits longer. The zero value begins with firstAttempt. Safe for concurrent
// use.
type patience struct {
	mu  sync.Mutex
	now time.Duration
}

const (
	firstAttempt  = 500 * time.Millisecond
	attemptGrowth = 1.25
)

func (p *patience) get() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.now, firstAttempt)
}

// learn is told how a request ended, and how long get said that it may wait.
func (p *patience) learn(waited time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := float64(max(p.now, firstAttempt))
	switch {
	case err == nil:
		now /= attemptGrowth
	case errors.Is(err, context.DeadlineExceeded):
		now = max(now, float64(waited)*attemptGrowth)
	}
	p.now = min(max(time.Duration(now), firstAttempt), attemptTimeout)
}

// jittered is d, give or take a fifth, so that those who lost the same server do not come back at the same instant.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
