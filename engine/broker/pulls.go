package broker

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	cutsToTell   = 3
	cutForgotten = 10 * time.Minute // without another cut, before twice as much is pulled again
	mostHalvings = 8                // then one message is pulled at a time
)

const smallPending = "most likely its max_pending is too small: raise it, to 64MB say (its default), and at least to 8 times its max_payload"

// Pulls bounds what is asked of the server at once, after cuts that this may be the reason of: a server closes a
// connection on which more than its max_pending waits to be sent, and says so in its own log only. Safe for concurrent
// use.
type Pulls struct {
	logger     *slog.Logger
	maxPayload func() int64

	mu       sync.Mutex
	loss     uint64 // how often the connection was lost
	cutAt    uint64 // the loss that ended a delivery
	sameAt   uint64 // the loss after which the same server was there again: it did not die
	counted  uint64 // the loss that was counted last
	cuts     int    // one after another
	halvings int
	last     time.Time // when one was counted
	told     bool
}

// Pulls bounds what is pulled through this connection.
func (b *Broker) Pulls() *Pulls { return b.connection.pulls }

// Cut is told that the connection was lost while the server delivered something. After several such cuts it returns
// what the reason may be.
func (p *Pulls) Cut() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAt = p.loss
	p.count(time.Now())
	if p.cuts < cutsToTell {
		return nil
	}
	return fmt.Errorf("the NATS server closed the connection %d times while delivering messages; %s of %d bytes", p.cuts, smallPending, p.maxPayload())
}

// Bytes is how much of most may be pulled at once; 0: one message, whatever its size.
func (p *Pulls) Bytes(most int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recover(time.Now())
	if p.halvings >= mostHalvings {
		return 0
	}
	return most >> p.halvings
}

func (p *Pulls) lost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loss++
}

// restored is told whether the connection is to the same server as before, which has not been started anew.
func (p *Pulls) restored(same bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if same {
		p.sameAt = p.loss
	}
	p.count(time.Now())
}

// count takes a loss for a cut when both is known of it.
func (p *Pulls) count(now time.Time) {
	if p.loss == 0 || p.cutAt != p.loss || p.sameAt != p.loss || p.counted == p.loss {
		return
	}
	p.recover(now)
	p.counted, p.last = p.loss, now
	p.cuts++
	p.halvings = min(p.halvings+1, mostHalvings)
	if p.cuts >= cutsToTell && !p.told {
		p.told = true
		p.logger.Warn("the NATS server closed the connection while delivering messages; pulling fewer at a time from now on; "+smallPending,
			"cuts", p.cuts, "max_payload", p.maxPayload())
	}
}

// recover takes halvings back that are long ago.
func (p *Pulls) recover(now time.Time) {
	for p.halvings > 0 && now.Sub(p.last) >= cutForgotten {
		p.halvings--
		p.cuts = 0
		p.last = p.last.Add(cutForgotten)
	}
}
