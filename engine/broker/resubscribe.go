package broker

import (
	"sync"
	"time"
)

const (
	firstResubscribe = time.Second
	lastResubscribe  = 10 * time.Second
)

// resubscriber asks for subscriptions again that the server refused: later each time, and soon when they were granted
// in between.
type resubscriber struct {
	mu      sync.Mutex
	timer   *time.Timer
	waiting bool
	stopped bool
	delay   time.Duration // before the last try
	last    time.Time     // when that was
	trying  sync.WaitGroup
}

// soon has try called, unless it will be already.
func (r *resubscriber) soon(try func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped || r.waiting {
		return
	}
	r.waiting = true
	r.trying.Add(1)
	r.timer = time.AfterFunc(r.next(time.Now()), func() {
		defer r.trying.Done()
		if r.begin() {
			_ = try()
		}
	})
}

// next is how long to wait before a try. The server answers one at once, so a refusal long after the last try is a new
// one.
func (r *resubscriber) next(now time.Time) time.Duration {
	if r.delay == 0 || now.Sub(r.last) > lastResubscribe {
		r.delay = firstResubscribe
	} else {
		r.delay = min(2*r.delay, lastResubscribe)
	}
	return r.delay
}

func (r *resubscriber) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting, r.last = false, time.Now()
	return !r.stopped
}

// stop lets no try begin. A wait for one that is under way follows the end of the connection, which it may be waiting
// for.
func (r *resubscriber) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	if r.waiting && r.timer.Stop() {
		r.waiting = false
		r.trying.Done()
	}
}

func (r *resubscriber) wait() { r.trying.Wait() }
