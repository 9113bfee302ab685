package engine

import (
	"context"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/internal/inflight"
)

// session is an instance's hold on its stage, from its fence on. Its loop runs
// in one goroutine, and only that commits; every field is the loop's own. A
// stage that is restarted after a fault goes on in its session. One whose
// function hangs is left behind together with it: nothing that the old session
// still does has an effect, and a new one fences it.
type session struct {
	*instance
	machine   machine
	ownership ownership
	code      userCode
	inbox     inbox
	source    *feeder   // nil unless the stage is a source
	steps     uint64    // calls of the source
	looked    time.Time // when the round began: what was due then was seen

	call     call // at hand; of a source, that of its hooks
	timers   timerSet
	batch    *batch
	flight   *flight // nil unless a commit is under way
	ending   ending
	pace     pace
	failures failures // that are not committed
	letters  letters  // on their way
	outages  outages  // calls that wait for the other side
	gate     gate     // of the circuit breaker
	roomAt   uint64   // what readers had taken when the wait for room began
	size     stateSize
	traces   tracing
}

// ownership is what tells the frames of a session from those of others.
type ownership struct {
	owner uint64 // random
	epoch uint64
}

// userCode guards the calls of the user's functions: see invoke.
type userCode struct {
	hold   hold
	slot   *inflight.Slot // what the next process may want to know
	handed handed
	turn   userTurn // when running carefully
	watch  watch
	saving watch // of the state's codec, which a source's function runs beside
}

// inbox are the inputs, and what their readers bring.
type inbox struct {
	inputs   []*input // those of the stage, and that of replays
	replays  *replays // nil for a source
	next     int      // whose turn it is
	gathered []peeked // messages of a batch call
	arrivals chan arrival
	refusals chan error // a reader that cannot go on
	stop     func()     // the readers, and wait for them
}

func newSession(in *instance) *session {
	d := in.definition
	s := &session{
		instance:  in,
		ownership: ownership{owner: newOwner()},
		code:      userCode{slot: in.run.inflight.Slot(in.id.String())},
		timers:    timerSet{due: make([]int64, len(d.timers)), alarms: make([]alarms, len(d.timers))},
		batch:     newBatch(d.destinations(), len(d.inputs)),
		inbox: inbox{
			arrivals: make(chan arrival, 16),
			refusals: make(chan error, len(d.inputs)),
			stop:     func() {},
		},
		letters: newLetters(),
		pace:    newPace(&in.observed.measures),
	}
	s.traces.tracer = in.run.config.Tracer
	s.code.watch.deadline, s.code.saving.deadline = d.options.deadline, d.options.deadline
	for k, i := range d.inputs {
		s.inbox.inputs = append(s.inbox.inputs, &input{
			definition: i,
			producer:   in.producers[k],
			from:       in.run.byStage[i.stream.owner].channel,
			taken:      &in.progress.taken[k],
			ahead:      newReadAhead(aheadBytes, aheadPerFrame, &in.waiting.reading[k]),
		})
		s.inbox.inputs[k].head.input = s.inbox.inputs[k]
	}
	if d.kind == KindSource {
		s.source = newFeeder()
	} else {
		s.inbox.replays = newReplays(s)
		s.inbox.inputs = append(s.inbox.inputs, s.inbox.replays.input)
	}
	s.machine = d.newMachine(s)
	return s
}

// startReaders begins to peek the inputs, from the committed positions on.
func (in *session) startReaders() {
	var stops []func()
	for _, i := range in.inbox.inputs {
		if i.replays != nil {
			stops = append(stops, in.run.inBackground(i.replays.serve))
			continue
		}
		i.reader = i.from.Reader(channel.ReaderConfig{
			Name:         in.id.Consumer(i.definition.stream.branch),
			Branch:       i.definition.stream.branch,
			Position:     channel.Position{Offset: i.committed.Offset, Sequence: i.committed.Sequence, End: i.committed.End()},
			ProducerLast: i.producer.lastCommit,
			OnTrouble:    func(err error) { in.noteTrouble(&in.waiting.reading[i.definition.index], err) },
		})
		stops = append(stops,
			in.run.inBackground(func(ctx context.Context) { in.read(ctx, i) }),
			in.run.inBackground(func(ctx context.Context) { i.forward(ctx, in.inbox.arrivals) }))
	}
	in.inbox.stop = func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// input returns the one that positions call so, or nil.
func (in *session) input(stream string) *input {
	for _, i := range in.inbox.inputs {
		if i.definition.stream.String() == stream {
			return i
		}
	}
	return nil
}

func (in *session) read(ctx context.Context, i *input) {
	if err := i.reader.Run(ctx); err != nil {
		in.inbox.refusals <- fmt.Errorf("read %s: %w", i.definition.stream, err)
	}
}

// rollback returns to the last commit. Nothing may be in flight.
func (in *session) rollback() error {
	control, _ := in.committed.Last()
	next := make([]uint64, len(in.batch.sections))
	for d := range next {
		next[d] = in.progress.next[d].Load()
	}
	in.traceUndone(nil)
	in.batch.reset(next)
	in.steps = control.Steps
	copy(in.timers.due, control.Timers)
	in.timers.atEnd = nil
	for _, i := range in.inbox.inputs {
		i.rewind()
	}
	in.batch.closed, in.batch.last = false, call{}
	in.failures.restarted()
	in.ending.hook, in.ending.asked, in.ending.cursor = control.EndPhase, control.EndPhase, control.Cursor
	if err := in.machine.keeper().Rollback(in.committed); err != nil {
		return Fatal(err)
	}
	return nil
}

// usesKey is told of the key whose state the call at hand uses.
func (in *session) usesKey(key *string) {
	in.call.key = *key
	in.code.watch.stateOf(key)
}

// idle is how long nothing is due. What waits for something else than its time
// although that has come was seen in this round; what has become due since was
// not.
func (in *session) idle() time.Duration {
	now := in.run.clock.Now()
	idle := time.Hour
	if in.run.space.isFull() { // nothing is called
		return idle
	}
	for t, due := range in.timers.due {
		if due == 0 || in.timerWaits(t) {
			continue
		}
		if left := in.left(t, now); left > 0 || !in.isAfterEnd(t, now) {
			idle = min(idle, left, clockLook)
		}
	}
	idle = in.untilNextTry(now, idle)
	if !in.gate.openUntil.IsZero() {
		idle = min(idle, in.gate.openUntil.Sub(now))
	}
	for _, i := range in.inbox.inputs {
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
