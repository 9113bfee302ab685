package engine

import (
	"math"
	"time"

	"penstock/engine/breaker"
	"penstock/engine/supervise"
)

type options struct {
	attempts     int
	atLimit      Limit
	attemptDelay *supervise.Backoff
	unfit        *Limit // nil: the pipeline stops
	batch        int
	keys         int // 0: bounded by memory
	keyMemory    int // bytes; 0: the default, or bounded by keys
	branches     []*streamDefinition
	policy       supervise.Policy
	backoff      supervise.Backoff
	limit        *supervise.Limit
	checks       []supervise.Check
	deadline     time.Duration
	stopTimeout  time.Duration
	recoverTime  time.Duration
	breaker      *breaker.Config
	unavailable  supervise.Backoff
}

func defaultOptions() options {
	return options{attempts: 3, batch: 1000}
}

// Unlimited is for Attempts: a message is tried until it succeeds, or until
// the restart limit of its stage stops that.
const Unlimited = math.MaxInt

// Limit is what happens with a message that has failed at every attempt.
type Limit uint8

const (
	DeadLetter    Limit = iota // it is kept in the dead letters, and the stage goes on
	DropMessage                // it is dropped and counted, and the stage goes on
	StopStage                  // the stage is given up, and tries it again in the next run
	EscalateStage              // the stage's group fails
)

const (
	unavailableMost   = 5 * time.Second
	unavailableJitter = 0.2
)

func (o *options) unavailableDelay(tries int) time.Duration {
	b := o.unavailable
	if b.Max <= 0 {
		b.Max = max(unavailableMost, b.Initial)
	}
	if b.Jitter == 0 {
		b.Jitter = unavailableJitter
	}
	return b.Delay(tries)
}
