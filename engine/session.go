package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"penstock/engine/channel"
	"penstock/engine/internal/inflight"
	"penstock/engine/measure"
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
	slot    *inflight.Slot // what the next process may want to know
	hasTurn atomic.Bool    // to be in the user's code, when running carefully
	watch   watch
	saving  watch // of the state's codec, which a source's function runs beside

	inputs    []*input  // those of the stage, and that of replays
	replays   *replays  // nil for a source
	turn      int       // input whose turn it is
	looked    time.Time // when the round began: what was due then was seen
	lapped    time.Time // when calls were measured last
	lapCalls  int       // how many of the round had been called then
	timers    []int64
	alarms    []alarms
	marked    []int64 // timers before the call at hand
	ticked    bool    // the last call was a timer's
	nextTimer int     // whose turn it is
	lastTicks []int64 // timers that were due at the end of the stage; nil before
	steps     uint64
	source    *feeder // nil unless the stage is a source
	batch     *batch
	maxCalls  int
	perCall   float64 // nanoseconds, in the last lap
	perLap    int     // calls that are measured together, if nothing else needs the clock before
	perLook   int     // calls between two looks whether the batch is to go out
	flight    *flight
	spare     []byte // buffer of a settled frame, to be used again
	roomAt    uint64 // what readers had taken when the wait for room began

	// The call at hand, and what is known of failures.
	calledInput  *input // whose messages a function has; nil when it has none
	calledOffset uint64
	isFar        bool // when running carefully: from every suspect
	handed       handed
	unit         string // when it is not a message: "timer:0", "commit" …
	attempt      int
	due          int64  // of the timer at hand
	key          string // in a keyed stage
	current      *input // whose message it is
	currentAt    uint64 // its offset, or that of the first in a batch
	batched      int    // messages in it
	gathered     []peeked
	lastCall     lastCall
	suspected    bool // the call at hand may leave a state that cannot be encoded
	checked      bool // the state that the call at hand left can be encoded
	size         stateSize
	checking     int       // calls whose state is encoded right after them
	failures     failures  // messages that failed and are not committed
	failing      *failure  // of the message at hand, if it is one of them
	letters      letters   // on their way
	calls        attempts  // of a call that is no message
	closed       bool      // the batch takes no further call
	openUntil    time.Time // the breaker lets nothing through until then
	trusted      bool      // the breaker is closed and has seen no failure since the last success
	outages      outages   // calls that wait for the other side
	faulted      *faulted  // the last call that failed
	traces       tracing
	callTimes    *measure.Recorder
	ages         []*measure.Recorder // of replays, and then by input

	ending       bool   // a function answered io.EOF
	inputsUsedUp bool   // it ends because its inputs have ended
	endPhase     bool   // the end hook is under way
	cursor       string // the last key it was called for, after cursorMark

	arrivals    chan arrival
	refusals    chan error // a reader that cannot go on
	stopReaders func()     // and wait for them
}

func newSession(in *instance) *session {
	d := in.definition
	s := &session{
		instance:    in,
		slot:        in.run.inflight.Slot(in.name),
		owner:       newOwner(),
		timers:      make([]int64, len(d.timers)),
		alarms:      make([]alarms, len(d.timers)),
		batch:       newBatch(d.destinations(), len(d.inputs)),
		maxCalls:    batchCalls,
		perLook:     1,
		arrivals:    make(chan arrival, 16),
		refusals:    make(chan error, len(d.inputs)),
		stopReaders: func() {},
		letters:     newLetters(),
		callTimes:   measure.NewRecorder(&in.measures.calls),
	}
	s.traces.tracer = in.run.config.Tracer
	for k := range in.measures.ages {
		s.ages = append(s.ages, measure.NewRecorder(&in.measures.ages[k]))
	}
	s.watch.deadline, s.saving.deadline = d.options.deadline, d.options.deadline
	for k, i := range d.inputs {
		s.inputs = append(s.inputs, &input{
			definition: i,
			producer:   in.producers[k],
			taken:      &in.taken[k],
			ahead:      newReadAhead(aheadBytes, aheadPerFrame, &in.reading[k]),
		})
		s.inputs[k].head.input = s.inputs[k]
	}
	if d.kind == KindSource {
		s.source = newFeeder()
	} else {
		s.replays = newReplays(s)
		s.inputs = append(s.inputs, s.replays.input)
	}
	s.machine = d.newMachine(s)
	return s
}

// consumerName names the consumer of an input. A stage may read a stream and its branches, which are one JetStream stream, so
// the branch is part of it, behind a character that no name has.
func consumerName(i *inputDefinition) string {
	name := i.stage.name + "-0"
	if branch := i.stream.branch; branch != "" {
		name += "+" + branch
	}
	return name
}

// startReaders begins to peek the inputs, from the committed positions on.
func (in *session) startReaders() {
	var stops []func()
	for _, i := range in.inputs {
		if i.replays != nil {
			stops = append(stops, in.run.inBackground(i.replays.serve))
			continue
		}
		i.reader = i.producer.channel.Reader(channel.ReaderConfig{
			Name:         consumerName(i.definition),
			Branch:       i.definition.stream.branch,
			Position:     channel.Position{Offset: i.committed.Offset, Sequence: i.committed.Sequence, End: i.committed.End()},
			ProducerLast: i.producer.last.Load,
			OnTrouble:    func(err error) { in.noteTrouble(&in.reading[i.definition.index], err) },
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

// input returns the one that positions call so, or nil.
func (in *session) input(stream string) *input {
	for _, i := range in.inputs {
		if i.definition.stream.String() == stream {
			return i
		}
	}
	return nil
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
	in.traceUndone(nil)
	in.batch.reset(next)
	in.steps = control.Steps
	copy(in.timers, control.Timers)
	in.lastTicks = nil
	for _, i := range in.inputs {
		i.rewind()
	}
	in.closed, in.failing, in.lastCall = false, nil, lastCall{}
	in.failures.restarted()
	in.endPhase, in.ending, in.cursor = control.EndPhase, control.EndPhase, control.Cursor
	return in.machine.keeper().rollback(in.committed)
}

// idle is how long nothing is due. What waits for something else than its time
// although that has come was seen in this round; what has become due since was
// not.
func (in *session) idle() time.Duration {
	now := in.run.clock.now()
	idle := time.Hour
	if in.run.space.isFull() { // nothing is called
		return idle
	}
	for t, due := range in.timers {
		if due == 0 || in.timerWaits(t) {
			continue
		}
		if left := in.left(t, now); left > 0 || !in.isAfterEnd(t, now) {
			idle = min(idle, left, clockLook)
		}
	}
	idle = in.untilNextTry(now, idle)
	if !in.openUntil.IsZero() {
		idle = min(idle, in.openUntil.Sub(now))
	}
	for _, i := range in.inputs {
		if !i.until.IsZero() {
			idle = min(idle, i.until.Sub(now))
		}
		for k := range i.waiting {
			if w := &i.waiting[k]; !w.behind && w.until.After(in.looked) {
				idle = min(idle, w.until.Sub(now))
			}
		}
	}
	for _, f := range in.failures.records {
		if f.due.After(in.looked) {
			idle = min(idle, f.due.Sub(now))
		}
	}
	if idle <= 0 {
		return justDue
	}
	return idle
}

// clockLook is how soon a timer's loop notices that the clock was put forward.
const clockLook = time.Minute

// justDue is how long the loop waits although something is due. That has come
// only now, or it waits for a commit or for room, which wake the loop: it must
// not spin meanwhile.
const justDue = time.Millisecond
