package engine

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"penstock/engine/channel"
)

// session is an instance's hold on its stage, from its fence on. Its loop runs
// in one goroutine, and only that commits; every field is the loop's own. A
// stage that is restarted after a fault goes on in its session. One whose
// function hangs is left behind together with it: nothing that the old session
// still does has an effect, and a new one fences it.
type session struct {
	*instance
	machine machine
	owner   uint64 // random, tells our frames from those of another owner
	epoch   uint64
	hold    hold
	watch   watch
	saving  watch // of the state's codec, which a source's function runs beside

	inputs   []*input
	turn     int // input whose turn it is
	timers   []int64
	marked   []int64 // timers before the call at hand
	steps    uint64
	source   *feeder // nil unless the stage is a source
	batch    *batch
	maxCalls int
	flight   *flight
	spare    []byte // buffer of a settled frame, to be used again

	// The call at hand, and what is known of failures.
	unit       string // when it is not a message: "timer:0", "commit" …
	attempt    int
	due        int64  // of the timer at hand
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
	calls      attempts  // of a call that is no message
	closed     bool      // the batch takes no further call
	openUntil  time.Time // the breaker lets nothing through until then
	trusted    bool      // the breaker is closed and has seen no failure since the last success
	refusedBy  int       // calls in a row that found the other side unavailable
	faulted    *faulted  // the last call that failed

	ending   bool   // a function answered io.EOF
	endPhase bool   // the end hook is under way
	cursor   string // the last key it was called for, after cursorMark

	arrivals    chan arrival
	refusals    chan error // a reader that cannot go on
	stopReaders func()     // and wait for them
}

func newSession(in *instance) *session {
	d := in.definition
	s := &session{
		instance:    in,
		owner:       newOwner(),
		timers:      make([]int64, len(d.timers)),
		batch:       newBatch(d.destinations()),
		maxCalls:    batchCalls,
		arrivals:    make(chan arrival, 16),
		refusals:    make(chan error, len(d.inputs)),
		stopReaders: func() {},
	}
	s.watch.deadline, s.saving.deadline = d.options.deadline, d.options.deadline
	for k, i := range d.inputs {
		s.inputs = append(s.inputs, &input{
			definition: i,
			producer:   in.producers[k],
			taken:      &in.taken[k],
			ahead:      semaphore.NewWeighted(aheadBytes),
		})
		s.inputs[k].head.input = s.inputs[k]
	}
	if d.kind == KindSource {
		s.source = newFeeder()
	}
	s.machine = d.newMachine(s)
	return s
}

// startReaders begins to peek the inputs, from the committed positions on.
func (in *session) startReaders() {
	var stops []func()
	for _, i := range in.inputs {
		i.reader = i.producer.channel.Reader(channel.ReaderConfig{
			Name:         in.definition.name + "-0",
			Branch:       i.definition.stream.branch,
			Position:     channel.Position{Offset: i.committed.Offset, Sequence: i.committed.Sequence},
			ProducerLast: i.producer.last.Load,
		})
		stops = append(stops,
			in.run.inBackground(func(ctx context.Context) { in.read(ctx, i) }),
			in.run.inBackground(func(ctx context.Context) { i.forward(ctx, in.arrivals) }))
	}
	in.stopReaders = func() {
		for _, stop := range stops {
			stop()
		}
	}
}

func (in *session) read(ctx context.Context, i *input) {
	if err := i.reader.Run(ctx); err != nil {
		in.refusals <- fmt.Errorf("read %s: %w", i.definition.stream, err)
	}
}

// rollback returns to the last commit. Nothing may be in flight.
func (in *session) rollback() error {
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

// idle is how long nothing is due.
func (in *session) idle() time.Duration {
	now := time.Now()
	idle := time.Hour
	for _, due := range in.timers {
		if due != 0 {
			idle = min(idle, time.Unix(0, due).Sub(now))
		}
	}
	if !in.openUntil.IsZero() {
		idle = min(idle, in.openUntil.Sub(now))
	}
	for _, i := range in.inputs {
		if !i.until.IsZero() {
			idle = min(idle, i.until.Sub(now))
		}
	}
	return max(idle, 0)
}
