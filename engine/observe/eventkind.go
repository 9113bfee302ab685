package observe

import "penstock/engine/supervise"

// Kinds of events that a stage tells itself, beside those of its supervisor.
const (
	BreakerChanged supervise.EventKind = "circuit breaker"   // its circuit breaker changed, see Detail
	Diverted       supervise.EventKind = "dead letter"       // one of its messages became the dead letter Detail
	LettersFull    supervise.EventKind = "dead letters full" // it waits, because the dead letters are full, see Err
	SpaceChanged   supervise.EventKind = "disk space"        // it waits for free space on the disk, or goes on: see Detail
	WaitsLong      supervise.EventKind = "waits too long"    // it waits for longer than it does for good reasons: Detail says for what
	WaitEnded      supervise.EventKind = "wait ended"        // that is over: Detail says what it waited for, and for how long
	ForeignMessage supervise.EventKind = "foreign message"   // a message in its channel is of another client and was set aside: Detail says which; of many only some are told
	TakenOver      supervise.EventKind = "taken over"        // another process owns it now: it commits nothing more in this process, see Err
	StateSize      supervise.EventKind = "state size"        // its state, or that of a key, takes more than half of what a commit holds, or less again: see Detail
)
