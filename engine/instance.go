package engine

import (
	"log/slog"
	"sync/atomic"

	"penstock/engine/channel"
	"penstock/engine/frame"
)

// instance is one running copy of a stage: the unit of ownership, state and
// commit. Its loop runs in one goroutine and only that commits. The fields
// below are the loop's own unless they say otherwise.
type instance struct {
	definition *definition
	run        *run
	name       string // "worker.0"
	log        *slog.Logger

	machine   machine
	committed *committed // safe for concurrent use
	channel   *channel.Channel
	options   frame.Options
	capacity  Capacity
	limits    limits

	owner uint64 // random, tells our frames from those of another owner
	epoch uint64

	inputs   []*input
	turn     int // input whose turn it is
	timers   []int64
	steps    uint64
	source   *feeder // nil unless the stage is a source
	batch    *batch
	maxCalls int
	flight   *flight
	spare    []byte // buffer of a settled frame, to be used again

	// The call at hand, and what is known of failures.
	unit       string // when it is not a message: "timer:0", "commit" …
	attempt    int
	key        string // in a keyed stage
	current    *input // whose message it is
	currentAt  uint64 // its offset, or that of the first in a batch
	batched    int    // messages in it
	gathered   []peeked
	lastCall   *input // the last one that succeeded
	lastCallAt uint64
	attempts   attempts // of the failing message
	failing    *input   // it, if there is one
	failingAt  uint64
	healthy    uint64   // last commit after which nothing that failed was left
	calls      attempts // of a call that is no message
	closed     bool     // the batch takes no further call
	exited     error    // a function ended its goroutine, and the life of the instance with it

	ending   bool   // a function answered io.EOF
	endPhase bool   // the end hook is under way
	cursor   string // the last key it was called for, after cursorMark

	arrivals chan arrival
	refusals chan error    // a reader that cannot go on
	wake     chan struct{} // something changed elsewhere: room, drain, end

	// What others look at.
	next    []atomic.Uint64 // committed next offset by destination
	last    atomic.Uint64   // sequence of the last commit
	stored  atomic.Int64    // bytes in the channel, about
	isEnded atomic.Bool     // committed its last frame
	stopped atomic.Bool     // will commit nothing more in this run
	stats   stats
}

// limits of what fits into one message of the server, in bytes.
type limits struct {
	value int // one emitted value
	frame int // everything in one commit
}

// headroom is what a frame leaves free in a message for headers.
const headroom = 4 << 10

// limitsFor divides the server's payload limit: a value leaves room for the
// state and positions beside it, and for the story of its failure if it
// becomes a dead letter.
func limitsFor(maxPayload int64) limits {
	room := int(min(maxPayload, frame.MaxSize)) - headroom
	return limits{frame: room, value: room - min(64<<10, room/4)}
}

// poke wakes the loop. Safe from any goroutine; never blocks.
func (in *instance) poke() { signal(in.wake) }

// signal notes something in a channel of one place; it never blocks.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// readersEnded says whether everybody who reads this stage has ended.
func (in *instance) readersEnded() bool {
	if len(in.run.readers[in]) == 0 {
		return false
	}
	for _, reader := range in.run.readers[in] {
		if !reader.reader.isEnded.Load() {
			return false
		}
	}
	return true
}

// unread is how far the slowest reader of the stage is behind, in messages.
func (in *instance) unread() (most uint64) {
	for _, r := range in.run.readers[in] {
		if r.reader.isEnded.Load() {
			continue
		}
		next := in.next[r.destination].Load()
		if taken := r.input.taken.Load(); next > taken {
			most = max(most, next-taken)
		}
	}
	return most
}

// hasRoom says whether the channel takes a batch of this many messages and
// bytes. An empty channel takes any batch, else one could wait for ever.
func (in *instance) hasRoom(messages uint64, bytes int) bool {
	unread := in.unread()
	if unread > 0 && unread+messages > in.capacity.Messages {
		return false
	}
	if in.stored.Load()+int64(bytes) > int64(in.capacity.Bytes) {
		in.run.checkpointer.kick()
		return unread == 0
	}
	return true
}

// rollback returns to the last commit. Nothing may be in flight.
func (in *instance) rollback() error {
	control, _ := in.committed.last()
	next := make([]uint64, len(in.batch.sections))
	for d := range next {
		next[d] = in.next[d].Load()
	}
	in.batch.reset(next)
	in.steps = control.Steps
	copy(in.timers, control.Timers)
	for _, i := range in.inputs {
		i.rewind()
	}
	in.findFailing()
	in.closed = false
	in.endPhase, in.ending, in.cursor = control.EndPhase, control.EndPhase, control.Cursor
	return in.machine.keeper().rollback(in.committed)
}
