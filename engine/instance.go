package engine

import (
	"log/slog"
	"sync/atomic"

	"penstock/engine/breaker"
	"penstock/engine/frame"
	"penstock/engine/measure"
	"penstock/engine/supervise"
)

// instance is one running copy of a stage: the unit of ownership, state and
// commit, as the others see it. Its session does the work. What is here
// outlives a session and is safe for concurrent use.
type instance struct {
	definition *definition
	run        *run
	name       string // "worker.0"
	log        *slog.Logger

	committed *committed
	channel   link
	options   frame.Options
	capacity  Capacity
	limits    limits
	producers []*instance // by input

	session  atomic.Pointer[session] // the present one; only who runs serve uses it
	left     *session                // the one before, when it was abandoned
	recovery recovery
	overdue  atomic.Pointer[watchedCall] // found by the watchdog, not counted yet
	breaker  *breaker.Breaker            // nil when the stage has none
	asked    atomic.Int32                // whether a call is under way that the breaker hears of: notAsked …
	history  history

	wake         chan struct{}                   // something changed elsewhere: room, drain, end
	next         []atomic.Uint64                 // committed next offset by destination
	taken        []atomic.Uint64                 // committed offset by input
	last         atomic.Uint64                   // sequence of the last commit
	stored       atomic.Int64                    // bytes in the channel, about
	isEnded      atomic.Bool                     // committed its last frame
	lettersNoted atomic.Uint64                   // how far the store says that letters are kept
	reopen       bool                            // had ended, and goes on for a dead letter
	stopped      atomic.Bool                     // will commit nothing more in this run
	healthy      atomic.Uint64                   // last commit after which nothing that failed was left
	cause        atomic.Pointer[supervise.Event] // why it was given up
	halted       atomic.Bool                     // stopped by an operator, found when draining
	gaveUp       atomic.Bool                     // was given up; only an operator starts it again
	parked       atomic.Bool                     // can do nothing until a stage that was given up is started again
	largeStates  atomic.Int64                    // states of more than half of what a commit holds
	stats        stats
	measures     measures
	foreign      foreignMessages
	heads        []head // by input
	waits        waits
	keeping      lettersWait
	reading      []waits // by input, and of replays
	calling      inCode  // the loop
	feeding      inCode  // a source's function
}

// head is what an input waits with, for others to see.
type head struct {
	time atomic.Int64 // of the message, Unix nanoseconds; 0: nothing waits
	held atomic.Bool  // it was answered with Hold or Snooze

	offset atomic.Uint64 // of the message that is held
}

// limits of what fits into one message of the server, in bytes.
type limits struct {
	value int // one emitted value
	frame int // everything in one commit
	batch int // a commit that could wait holds no more, so that the server can send it with room to spare
}

// headroom is what a frame leaves free in a message for headers.
const headroom = 4 << 10

// limitsFor divides the server's payload limit: a value leaves room for the
// state and positions beside it, and for the story of its failure if it
// becomes a dead letter.
func limitsFor(maxPayload int64) limits {
	room := int(min(maxPayload, frame.MaxSize)) - headroom
	return limits{frame: room, value: room - min(64<<10, room/4), batch: min(batchBytes, room/2)}
}

func newInstance(r *run, d *definition, store vault, maxPayload int64) *instance {
	in := &instance{
		definition: d,
		run:        r,
		name:       d.instanceName(),
		log:        r.log.With("stage", d.name),
		capacity:   d.capacity(),
		limits:     limitsFor(maxPayload),
		wake:       make(chan struct{}, 1),
		next:       make([]atomic.Uint64, len(d.destinations())),
		taken:      make([]atomic.Uint64, len(d.inputs)),
		heads:      make([]head, len(d.inputs)),
		waits:      waits{clock: r.clock},
		reading:    make([]waits, len(d.inputs)+1),
		measures:   measures{ages: make([]measure.Histogram, 1+len(d.inputs))},
	}
	for k := range in.reading {
		in.reading[k].clock = r.clock
	}
	in.committed = newCommitted(d.name, store)
	in.recovery.set(d.recover)
	in.breaker = in.newBreaker()
	for _, stream := range d.destinations() {
		if stream.compress == frame.S2 {
			in.options.Compression = frame.S2
		}
	}
	for _, i := range d.inputs {
		in.producers = append(in.producers, r.byStage[i.stream.owner])
	}
	return in
}

// instanceName is that of the stage's one instance.
func (d *definition) instanceName() string { return d.name + ".0" }

// addInstance adds that of a stage whose producers have theirs.
func (r *run) addInstance(d *definition, store vault, maxPayload int64) *instance {
	in := newInstance(r, d, store, maxPayload)
	r.instances = append(r.instances, in)
	r.byStage[d] = in
	for k, i := range d.inputs {
		producer := in.producers[k]
		r.readers[producer] = append(r.readers[producer], readerRef{in, k, producer.definition.destination(i.stream)})
	}
	return in
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

// inputDefinition is that of an input of the stage, or of its replays.
func (in *instance) inputDefinition(index int) *inputDefinition {
	if index < 0 {
		return in.definition.replayInput()
	}
	return in.definition.inputs[index]
}

// written is the next offset that the producer of an input has not committed.
func (in *instance) written(input int) uint64 {
	return in.producers[input].nextOf(in.definition.inputs[input].stream)
}

// nextOf is the next offset of a stream of the instance.
func (in *instance) nextOf(stream *streamDefinition) uint64 {
	return in.next[in.definition.destination(stream)].Load()
}

// emitted counts the messages of all destinations.
func (in *instance) emitted() (n uint64) {
	for d := range in.next {
		n += in.next[d].Load()
	}
	return n
}

// readerRef is one reader of an instance's channel.
type readerRef struct {
	reader      *instance
	input       int // of the reader
	destination int // of the writer
}

// needs is the first sequence that the reader's checkpoint still needs, if that is
// before the writer's last one. A reader that has taken all there is for it needs
// none: its position does not move with frames that hold nothing for it, and a
// branch on which nothing comes would keep the channel from being trimmed.
func (r readerRef) needs(last uint64) uint64 {
	var taken frame.Position // without a commit the reader is at the start
	_, inputs := r.reader.committed.covered()
	for _, p := range inputs {
		if p.Stream == r.reader.definition.inputs[r.input].stream.String() {
			taken = p
		}
	}
	if taken.Offset == r.reader.written(r.input) {
		return max(taken.Sequence, last)
	}
	return taken.Sequence
}

// readersEnded says whether everybody who reads this stage has ended.
func (in *instance) readersEnded() bool {
	if len(in.run.readers[in]) == 0 {
		return false
	}
	for _, r := range in.run.readers[in] {
		if !r.reader.isEnded.Load() {
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
		if taken := r.reader.taken[r.input].Load(); next > taken {
			most = max(most, next-taken)
		}
	}
	return most
}

// hasRoom says whether the channel takes a batch of this many messages and
// bytes. An empty channel takes any batch, else one could wait without end.
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
