package plan

import (
	"math"
	"time"

	"penstock/engine/breaker"
	"penstock/engine/supervise"
)

// Options are how a stage is run; package engine documents each.
type Options struct {
	Attempts     int
	AtLimit      Limit
	AttemptDelay *supervise.Backoff
	Unfit        *Limit // nil: the pipeline stops
	Batch        int
	Partitions   int // instances of the stage, see Stage.Width; 0: one
	Keys         int // 0: bounded by memory
	KeyMemory    int // bytes; 0: the default, or bounded by keys
	Branches     []*Stream
	Policy       supervise.Policy
	Backoff      supervise.Backoff
	Limit        *supervise.Limit
	Checks       []supervise.Check
	Deadline     time.Duration
	StopTimeout  time.Duration
	RecoverTime  time.Duration
	Breaker      *breaker.Config
	Unavailable  supervise.Backoff
}

// Defaults are those of a stage without options.
func Defaults() Options {
	return Options{Attempts: 3, Batch: 1000}
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

// UnavailableDelay is how long to wait before a call is made again that was answered with Unavailable so many times.
func (o *Options) UnavailableDelay(tries int) time.Duration {
	b := o.Unavailable
	if b.Max <= 0 {
		b.Max = max(unavailableMost, b.Initial)
	}
	if b.Jitter == 0 {
		b.Jitter = unavailableJitter
	}
	return b.Delay(tries)
}
