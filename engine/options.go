package engine

import (
	"math"
	"time"

	"penstock/engine/breaker"
	"penstock/engine/supervise"
)

// Option changes how a stage is run. Give options with Pipeline.With.
type Option func(*options)

type options struct {
	attempts    int
	batch       int
	keys        int
	branches    []*streamDefinition
	policy      supervise.Policy
	backoff     supervise.Backoff
	limit       *supervise.Limit
	checks      []supervise.Check
	deadline    time.Duration
	stopTimeout time.Duration
	recoverTime time.Duration
	breaker     *breaker.Config
}

func defaultOptions() options {
	return options{attempts: 3, batch: 1000, keys: 100_000}
}

// Unlimited is for Attempts: a message is tried until it succeeds, or until
// the restart limit of its stage stops that.
const Unlimited = math.MaxInt

// Attempts is how many times a message may fail before it is diverted to the
// dead letters. Default 3; less than 1 counts as 1. As long as there is such a
// bound, restarts because of a message count toward no RestartLimit; with
// Unlimited they do.
func Attempts(n int) Option {
	return func(o *options) { o.attempts = max(n, 1) }
}

// BatchSize is the largest number of messages that a batch function
// (OnBatch, SinkBatch) gets in one call. Default 1000.
func BatchSize(n int) Option {
	return func(o *options) { o.batch = max(n, 1) }
}

// KeysInMemory is how many states of a keyed stage are kept decoded in
// memory; the others are read from Badger when their key comes up. Default
// 100,000.
func KeysInMemory(n int) Option {
	return func(o *options) { o.keys = max(n, 1) }
}

// AnyBranch is a branch of any type: what Branch returns.
type AnyBranch interface{ stream() *streamDefinition }

// Branches gives a stage its branches.
func Branches(branches ...AnyBranch) Option {
	return func(o *options) {
		for _, b := range branches {
			o.branches = append(o.branches, b.stream())
		}
	}
}
