package task

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A message can take the whole process down: os.Exit, a fatal error, a panic in
// a goroutine that the stage started, the end of the memory. No code of ours
// runs then, but the file of package inflight says what each stage was doing.
// One death proves nothing: several stages were busy. So the next process keeps
// them in quarantine until all these suspects were tried again: sources wait, and one
// message at a time is in the user's code, in the whole process. If it dies once
// more, that message is the one, and has failed an attempt. After its attempts
// it is diverted without being tried, like any other.
//
// Messages that are far from every suspect go through in batches, one stage at a
// time. If the process dies of one of those, its neighbourhood, wider than the
// last one, is suspect next time.
type quarantine struct {
	run   *Run
	on    atomic.Bool
	token chan struct{} // in it while no stage is in the user's code
	Over  chan struct{} // closed while nothing is in quarantine

	mu       sync.Mutex
	suspects suspects
	moved    time.Time // when a message was last handled
}

const (
	// quarantinePatience is how long nothing may move, because a suspect waits for
	// something that does not come.
	quarantinePatience = 10 * time.Second
	// quarantineLimit bounds it all: a suspect may wait for hours while timers
	// give the others work, or a function may hang that has no deadline. If
	// the process dies of it after all, the next one begins once more.
	quarantineLimit = 10 * time.Minute
)

func NewQuarantine(r *Run) *quarantine {
	c := &quarantine{run: r, token: make(chan struct{}, 1), Over: make(chan struct{})}
	c.token <- struct{}{}
	return c
}

func (c *quarantine) isOn() bool { return c.on.Load() }

// enter waits until no other stage is in the user's code; false when it is over,
// and waiting is not needed.
func (c *quarantine) enter(ctx context.Context) (bool, error) {
	select {
	case <-c.token:
		return true, nil
	case <-c.Over:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (c *quarantine) leave() { c.token <- struct{}{} }

// room is how many messages from an offset on are far from every suspect.
func (c *quarantine) room(stage, input string, offset uint64) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.suspects.room(stage, input, offset)
}

// pauses are how long a message that was handled may still do harm, and how
// much of it is held against it.
func (c *quarantine) pauses(stage, input string, offset uint64) (all, held time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.suspects.pauses(stage, input, offset)
}

// passed notes that an input's messages before an offset did no harm, or are
// committed: also those that were diverted, or are not wanted any more.
func (c *quarantine) passed(stage, input string, offset uint64) {
	c.mu.Lock()
	c.moved = time.Now()
	c.suspects = c.suspects.from(stage, input, offset)
	none := len(c.suspects) == 0
	c.mu.Unlock()
	if none {
		c.end("every suspected message was tried again")
	}
}

// end goes back to normal.
func (c *quarantine) end(why string) {
	hasEnded, unnoted := c.setNormal()
	if !hasEnded {
		return
	}
	if unnoted != nil {
		c.run.Log.Warn("cannot record the end of quarantine mode", "error", unnoted)
	}
	c.run.Log.Info("quarantine mode ended; running normally again", "reason", why)
	c.run.PokeAll()
}

// setNormal is end without the log, which is not written under the lock. What is
// noted goes first: a death from then on is no message's attempt.
func (c *quarantine) setNormal() (hasEnded bool, unnoted error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isOn() {
		return false, nil
	}
	c.suspects = nil
	unnoted = c.save(0)
	c.on.Store(false)
	close(c.Over)
	return true, unnoted
}

// Serve ends the quarantine when nothing moves any more, or after its limit.
func (c *quarantine) Serve(ctx context.Context) {
	tick := time.NewTicker(quarantinePatience / 10)
	defer tick.Stop()
	limit := time.NewTimer(quarantineLimit)
	defer limit.Stop()
	for {
		why := ""
		select {
		case <-c.Over:
			return
		case <-ctx.Done():
			return
		case <-limit.C:
			why = "quarantine mode takes too long"
		case <-tick.C:
			if c.isStuck() {
				why = "the suspected messages wait for something else"
			}
		}
		if why != "" {
			c.end(why)
		}
	}
}

// isStuck says that no stage is in the user's code, and nothing has moved for long.
func (c *quarantine) isStuck() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.token) == 1 && time.Since(c.moved) > quarantinePatience
}
