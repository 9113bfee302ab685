package task

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"penstock/engine/breaker"
	"penstock/engine/frame"
	"penstock/engine/internal/history"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/view"
	"penstock/engine/internal/waits"
	"penstock/engine/measure"
	"penstock/engine/supervise"
)

// Instance is one running copy of a stage: the unit of ownership, state and
// commit, as the others see it. Its task does the work. What is here
// outlives a task and is safe for concurrent use.
type Instance struct {
	Definition *plan.Stage
	functions  Functions
	Run        *Run
	ID         plan.InstanceID
	Log        *slog.Logger

	Committed *view.View
	Channel   ports.Log
	Format    frameFormat
	Edges     []Edge
	readers   []reader

	Task     atomic.Pointer[Task] // the present one; only who runs serve uses it
	Phase    phaseCell
	Progress progress
	Fault    faults
	Callout  callout
	Waiting  waitingFor
	Observed observed

	Wake     chan struct{} // something changed elsewhere: room, drain, end
	reopened bool          // had ended, and goes on for a dead letter
	lettersNote
}

// lettersNote is the store's note how far the dead letters are kept.
type lettersNote struct {
	LettersNoted atomic.Uint64
	notingLetter sync.Mutex // the checkpointer and the task may note at a time
}

// frameFormat is how the frames of an instance are written, and how much its channel
// and one of them hold.
type frameFormat struct {
	options  frame.Options
	Capacity plan.Capacity
	Limits   limits
}

// progress is how far an instance has come.
type progress struct {
	Before  plan.Carried    // before a change of partitions
	next    []atomic.Uint64 // committed next offset by destination
	Taken   []atomic.Uint64 // committed offset by edge
	Last    atomic.Uint64   // sequence of the last commit
	healthy atomic.Uint64   // last commit after which nothing that failed was left
	stored  atomic.Int64    // bytes in the channel, about
	trimmed uint64          // sequence before which nothing is left; the checkpointer's
}

// faults is what is known of the failures that ended lives of an instance.
type faults struct {
	Recovery recovery
	overdue  atomic.Pointer[watchedCall]     // found by the watchdog, not counted yet
	cause    atomic.Pointer[supervise.Event] // why it was given up
	left     *Task                           // the one before, when it was abandoned
}

// callout is the circuit breaker of a stage that has one.
type callout struct {
	Breaker *breaker.Breaker // nil when the stage has none
	asked   atomic.Int32     // whether a call is under way that the breaker hears of: notAsked …
}

// waitingFor is what an instance waits for.
type waitingFor struct {
	waits   waits.Set
	keeping lettersWait
	room    waits.Excuse // of the wait for room
	Heads   []head       // by edge
	reading []waits.Set  // by edge, and of replays
	calling waits.InCode // the loop
	feeding waits.InCode // a source's function
}

// observed is what is counted, measured and kept for people.
type observed struct {
	Stats       stats
	measures    measures
	History     history.History
	Foreign     foreignMessages
	LargeStates atomic.Int64 // states of more than half of what a commit holds
}

// head is what an input waits with, for others to see.
type head struct {
	Time atomic.Int64 // of the message, Unix nanoseconds; 0: nothing waits
	Held atomic.Bool  // it was answered with Hold or Snooze

	offset atomic.Uint64 // of the message that is held
	until  atomic.Int64  // Unix nanoseconds; 0: it was answered with Hold
}

// limits of what fits into one message of the server, in bytes.
type limits struct {
	value int // one emitted value
	Frame int // everything in one commit
	Batch int // a commit that could wait holds no more, so that the server can send it with room to spare
}

// headroom is what a frame leaves free in a message for headers.
const headroom = 4 << 10

// limitsFor divides the server's payload limit: a value leaves room for the
// state and positions beside it, and for the story of its failure if it
// becomes a dead letter.
func limitsFor(maxPayload int64) limits {
	room := int(min(maxPayload, frame.MaxSize)) - headroom
	return limits{Frame: room, value: room - min(64<<10, room/4), Batch: min(batchBytes, room/2)}
}

func newInstance(r *Run, d *plan.Stage, id plan.InstanceID, store ports.Store, maxPayload int64) *Instance {
	edges := len(d.Edges(id))
	in := &Instance{
		Definition: d,
		functions:  r.functions[d],
		Run:        r,
		ID:         id,
		Log:        r.Log.With("stage", d.Name),
		Format:     frameFormat{Capacity: d.Capacity(), Limits: limitsFor(maxPayload)},
		Wake:       make(chan struct{}, 1),
		Progress: progress{
			next:  make([]atomic.Uint64, len(d.Destinations())),
			Taken: make([]atomic.Uint64, edges),
		},
		Waiting: waitingFor{
			waits:   waits.Set{Clock: r.Clock},
			Heads:   make([]head, edges),
			reading: make([]waits.Set, edges+1),
		},
		Observed: observed{measures: measures{ages: make([]measure.Histogram, 1+edges)}},
	}
	for k := range in.Waiting.reading {
		in.Waiting.reading[k].Clock = r.Clock
	}
	in.Committed = view.New(in.StageName(), store)
	in.Fault.Recovery.Set(in.functions.Recovers())
	in.Callout.Breaker = in.newBreaker()
	if d.Width() > 1 {
		in.Log = in.Log.With("partition", d.Layout().Partition(id.Number))
	}
	for _, stream := range d.Streams() {
		if stream.Compress == frame.S2 {
			in.Format.options.Compression = frame.S2
		}
	}
	return in
}

// AddInstance adds one of a stage whose producers have theirs.
func (r *Run) AddInstance(d *plan.Stage, id plan.InstanceID, store ports.Store, maxPayload int64) *Instance {
	in := newInstance(r, d, id, store, maxPayload)
	r.Instances = append(r.Instances, in)
	r.Checkpointer.Instances = append(r.Checkpointer.Instances, in)
	r.connect(in)
	return in
}

// poke wakes the loop. Safe from any goroutine; never blocks.
func (in *Instance) poke() { signal(in.Wake) }

// signal notes something in a channel of one place; it never blocks.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// edge is one of the instance's, or that of its replays.
func (in *Instance) edge(index int) Edge {
	if index < 0 {
		return replayEdge(in.Definition, in.ID)
	}
	return in.Edges[index]
}

// Emitted counts the messages of all destinations, also of those that there were.
func (in *Instance) Emitted() uint64 {
	n := in.Progress.Before.Out
	for d := range in.Progress.next {
		n += in.Progress.next[d].Load()
	}
	return n
}
