package quarantine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"penstock/engine/internal/ports"
)

// Mode is the quarantine mode of a process, on or off. A message can take the
// whole process down: os.Exit, a fatal error, a panic in a goroutine that the
// stage started, the end of the memory. No code of ours runs then, but the file
// of package inflight says what each stage was doing. One death proves nothing:
// several stages were busy. So the next process keeps them in quarantine until
// all these suspects were tried again: sources wait, and one message at a time
// is in the user's code, in the whole process. If it dies once more, that
// message is the one, and has failed an attempt. After its attempts it is
// diverted without being tried, like any other.
//
// Messages that are far from every suspect go through in batches, one stage at a
// time. If the process dies of one of those, its neighbourhood, wider than the
// last one, is suspect next time.
//
// Its methods are safe for concurrent use, but for Begin, which comes first.
type Mode struct {
	config Config

	on    atomic.Bool
	token chan struct{} // in it while no stage is in the user's code
	over  chan struct{} // closed while nothing is in quarantine

	mu       sync.Mutex
	suspects suspects
	moved    time.Time // when a message was last handled
}

const (
	// patience is how long nothing may move, because a suspect waits for
	// something that does not come.
	patience = 10 * time.Second
	// Limit bounds it all: a suspect may wait for hours while timers
	// give the others work, or a function may hang that has no deadline. If
	// the process dies of it after all, the next one begins once more.
	Limit = 10 * time.Minute
)

// Config says what a Mode works with.
type Config struct {
	Log     *slog.Logger
	Notes   ports.Notes
	Tasks   Tasks
	PokeAll func() // wakes every stage when the mode ends
	Batch   uint64 // the most messages that a stage handles between two commits
}

// Tasks answers what must be known of the instances of a run.
type Tasks interface {
	// Inputs gives the stage of an instance and the streams that it reads, in the order in which calls number them.
	Inputs(instance string) (stage string, streams []string, found bool)
	// IsAhead says whether the stage still has to handle a message: its effect is not committed, and the stage has not
	// ended.
	IsAhead(m Message) bool
	// Blame counts a failed attempt of a message.
	Blame(m Message) error
}

// New makes a mode that is neither on nor off before its Begin.
func New(c Config) *Mode {
	m := &Mode{config: c, token: make(chan struct{}, 1), over: make(chan struct{})}
	m.token <- struct{}{}
	return m
}

// Off makes a mode that is never on.
func Off() *Mode {
	m := New(Config{})
	close(m.over)
	return m
}

// IsOn says whether messages are in quarantine.
func (m *Mode) IsOn() bool { return m.on.Load() }

// Over is closed while nothing is in quarantine.
func (m *Mode) Over() <-chan struct{} { return m.over }

// Enter waits until no other stage is in the user's code; false when it is over,
// and waiting is not needed.
func (m *Mode) Enter(ctx context.Context) (bool, error) {
	select {
	case <-m.token:
		return true, nil
	case <-m.over:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Leave gives back what Enter took.
func (m *Mode) Leave() { m.token <- struct{}{} }

// Distance is how many messages of an input, from one on, are far from every suspect.
func (m *Mode) Distance(from Message) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.suspects.distance(from)
}

// Pauses are how long a message that was handled may still do harm, and how
// much of it is held against it.
func (m *Mode) Pauses(of Message) (all, held time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.suspects.pauses(of)
}

// Passed notes that an input's messages before one did no harm, or are
// committed: also those that were diverted, or are not wanted any more.
func (m *Mode) Passed(before Message) {
	m.mu.Lock()
	m.moved = time.Now()
	m.suspects = m.suspects.from(before)
	none := len(m.suspects) == 0
	m.mu.Unlock()
	if none {
		m.end("every suspected message was tried again")
	}
}

// end goes back to normal.
func (m *Mode) end(why string) {
	hasEnded, unnoted := m.setNormal()
	if !hasEnded {
		return
	}
	if unnoted != nil {
		m.config.Log.Warn("cannot record the end of quarantine mode", "error", unnoted)
	}
	m.config.Log.Info("quarantine mode ended; running normally again", "reason", why)
	m.config.PokeAll()
}

// setNormal is end without the log, which is not written under the lock. What is
// noted goes first: a death from then on is no message's attempt.
func (m *Mode) setNormal() (hasEnded bool, unnoted error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.IsOn() {
		return false, nil
	}
	m.suspects = nil
	unnoted = m.save(0)
	m.on.Store(false)
	close(m.over)
	return true, unnoted
}

// Serve ends the quarantine when nothing moves any more, or after its limit.
func (m *Mode) Serve(ctx context.Context) {
	tick := time.NewTicker(patience / 10)
	defer tick.Stop()
	limit := time.NewTimer(Limit)
	defer limit.Stop()
	for {
		why := ""
		select {
		case <-m.over:
			return
		case <-ctx.Done():
			return
		case <-limit.C:
			why = "quarantine mode takes too long"
		case <-tick.C:
			if m.isStuck() {
				why = "the suspected messages wait for something else"
			}
		}
		if why != "" {
			m.end(why)
		}
	}
}

// isStuck says that no stage is in the user's code, and nothing has moved for long.
func (m *Mode) isStuck() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.token) == 1 && time.Since(m.moved) > patience
}
