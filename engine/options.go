package engine

import (
	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// Option changes how a stage is run. Give options with Pipeline.With.
type Option func(*plan.Options)

// Options is several options as one.
func Options(list ...Option) Option {
	return func(o *plan.Options) {
		for _, option := range list {
			option(o)
		}
	}
}

// Unlimited is for Attempts: a message is tried until it succeeds, or until
// the restart limit of its stage stops that.
const Unlimited = plan.Unlimited

// Attempts is how many times a message may fail before it is diverted to the
// dead letters. Default 3; less than 1 counts as 1. As long as there is such a
// bound, restarts because of a message count toward no RestartLimit; with
// Unlimited they do.
func Attempts(n int) Option {
	return func(o *plan.Options) { o.Attempts = max(n, 1) }
}

// AttemptDelay is how long to wait between the attempts of a message, and lets
// the stage go on instead of restarting it: what the failed call did is undone,
// and the message comes again after the delay. In a keyed stage messages of
// other keys overtake it meanwhile, as far as the channel's capacity reaches;
// those of its own key wait behind it. In any other stage, and where the key is
// not known because the user's codec failed, everything behind it waits.
//
// Undoing costs least when the state has no pointers, slices or maps; else the
// stage may go back to its last commit, still without a restart. A stage with a
// recovery function, a batch function, or Attempts(Unlimited) restarts as
// without this option. supervise.Immediate() is no delay. Default: the stage
// restarts after RestartBackoff, with a fresh state and its hooks.
func AttemptDelay(b supervise.Backoff) Option {
	return func(o *plan.Options) { o.AttemptDelay = &b }
}

// Limit is what happens with a message that has failed at every attempt.
type Limit = plan.Limit

const (
	DeadLetter    = plan.DeadLetter    // it is kept in the dead letters, and the stage goes on
	DropMessage   = plan.DropMessage   // it is dropped and counted, and the stage goes on
	StopStage     = plan.StopStage     // the stage is given up, and tries it again in the next run
	EscalateStage = plan.EscalateStage // the stage's group fails
)

// AtLimit says what happens with a message that has failed at every attempt.
// Default DeadLetter. What a function rejected is a dead letter anyway.
func AtLimit(l Limit) Option {
	return func(o *plan.Options) { o.AtLimit = l }
}

// BatchSize is the largest number of messages that a batch function
// (OnBatch, SinkBatch) gets in one call. Default 1000.
func BatchSize(n int) Option {
	return func(o *plan.Options) { o.Batch = max(n, 1) }
}

// KeyMemory is how much memory, in bytes, the states of a keyed stage may take
// that are kept decoded; the others are read from the store when their key comes
// up. It is an estimate: for a state with pointers, slices or maps three times
// its encoding, and some 60 bytes a key. Default 128 MiB, which is about a
// million counters, or none when KeysInMemory is given.
//
// Besides, up to 32 MiB of changes wait for a checkpoint, as much is being
// written, and up to 128 MiB of states that changed lately stay encoded.
func KeyMemory(bytes int) Option {
	return func(o *plan.Options) { o.KeyMemory = max(bytes, 1) }
}

// KeysInMemory bounds by number how many states of a keyed stage are kept
// decoded in memory. Default: they are bounded by KeyMemory.
func KeysInMemory(n int) Option {
	return func(o *plan.Options) { o.Keys = max(n, 1) }
}

// AnyBranch is a branch of any type: what Branch returns.
type AnyBranch interface{ stream() *plan.Stream }

// Branches gives a stage its branches.
func Branches(branches ...AnyBranch) Option {
	return func(o *plan.Options) {
		for _, b := range branches {
			o.Branches = append(o.Branches, b.stream())
		}
	}
}
