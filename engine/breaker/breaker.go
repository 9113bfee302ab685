package breaker

import (
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// askAgain is how long to wait before asking again while another call has to be settled first: it is unknown when
// that is, and asking costs next to nothing.
const askAgain = 10 * time.Millisecond

// The answers the library is given; it looks no further than which one it is.
var (
	errFailed  = errors.New("the call failed")
	errDropped = errors.New("the call was dropped")
)

// Breaker stops calls to another side that is down; see the package comment. Make one with New. It is safe for
// concurrent use.
type Breaker struct {
	name   string
	config Config

	mu       sync.Mutex
	library  *gobreaker.TwoStepCircuitBreaker[struct{}]
	state    State           // as of the library's last change: looking changes nothing
	probeAt  time.Time       // when an open breaker lets a probe through
	probe    func(err error) // settles the probe under way; nil if there is none
	running  int             // calls allowed and not settled yet
	failures int
	opened   int
}

// Counts is what a breaker has seen.
type Counts struct {
	Failures int // consecutive failures, probes included, since the last success
	Opened   int // how often it opened, a failed probe included
}

// New returns a closed breaker. The name is for people, who read it in logs and on dashboards.
func New(name string, c Config) *Breaker {
	b := &Breaker{name: name, config: c.withDefaults()}
	b.library = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:          name,
		MaxRequests:   1,
		Timeout:       b.config.Open - 1, // the library lets the probe through after this time, not at it
		ReadyToTrip:   func(c gobreaker.Counts) bool { return uint64(c.ConsecutiveFailures) >= uint64(b.config.Failures) },
		IsExcluded:    func(err error) bool { return err == errDropped },
		OnStateChange: func(_ string, _, to gobreaker.State) { b.enter(stateOf(to)) },
	})
	return b
}

// Name returns the name given to New.
func (b *Breaker) Name() string { return b.name }

// Allow says whether a call may be made now. A true answer must be followed by exactly one Done or Drop, whatever
// becomes of the call: until then no probe is let through. With a false one, next is when to ask again: when the time
// of an open breaker is over, or in a short while if another call has to be settled first.
func (b *Breaker) Allow() (next time.Time, ok bool) {
	b.mu.Lock()
	before := b.state
	next, ok = b.ask()
	after := b.state
	b.mu.Unlock()
	b.tell(before, after)
	return next, ok
}

// Done says how an allowed call went. The outcome of one that was allowed before the breaker opened changes nothing any
// more, and a Done without a call is ignored.
func (b *Breaker) Done(success bool) {
	b.mu.Lock()
	before := b.state
	if b.running > 0 {
		b.running--
		b.settle(success)
	}
	after := b.state
	b.mu.Unlock()
	b.tell(before, after)
}

// Drop takes the place of Done if the call was not made or said nothing about the other side, such as one that was held
// back or stopped. It is neither a success nor a failure, and a dropped probe leaves its place to the next call.
func (b *Breaker) Drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running == 0 {
		return
	}
	b.running--
	if b.probe != nil {
		b.endProbe(errDropped)
	}
}

// State returns the present state. An open breaker whose time is over stays open until Allow lets a probe through.
func (b *Breaker) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// Counts returns what the breaker has seen so far.
func (b *Breaker) Counts() Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Counts{Failures: b.failures, Opened: b.opened}
}

func (b *Breaker) ask() (next time.Time, ok bool) {
	if b.state == StateClosed {
		b.running++
		return time.Time{}, true
	}
	// Outcomes carry no name. As long as an earlier call is out its Done could be mistaken for the probe's, so the probe
	// waits for it.
	if b.running > 0 {
		next = time.Now().Add(askAgain)
		if next.Before(b.probeAt) {
			next = b.probeAt
		}
		return next, false
	}
	probe, err := b.library.Allow()
	if err != nil { // not yet: one call at a time is no reason to refuse
		return b.probeAt, false
	}
	b.probe, b.running = probe, 1
	return time.Time{}, true
}

func (b *Breaker) settle(success bool) {
	if b.state == StateOpen {
		return
	}
	// The library forgets the failures of a closed breaker at a success, and there is nothing to forget most of the time.
	// Not telling it then saves a look at the clock and an allocation per call.
	if b.state == StateClosed && success && b.failures == 0 {
		return
	}
	var outcome error
	if success {
		b.failures = 0
	} else {
		b.failures++
		outcome = errFailed
	}
	if b.probe != nil {
		b.endProbe(outcome)
		return
	}
	if done, err := b.library.Allow(); err == nil { // it never refuses while closed
		done(outcome)
	}
}

func (b *Breaker) endProbe(outcome error) {
	b.probe(outcome)
	b.probe = nil
}

// enter is called by the library, in the middle of Allow or Done.
func (b *Breaker) enter(s State) {
	b.state = s
	if s == StateOpen {
		b.opened++
		b.probeAt = time.Now().Add(b.config.Open)
	}
}

// tell passes a change on, outside the lock so that OnChange may look at the breaker. No call makes two changes.
func (b *Breaker) tell(before, after State) {
	if before != after && b.config.OnChange != nil {
		b.config.OnChange(before, after)
	}
}
