package engine

import (
	"context"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/inflight"
	"penstock/engine/internal/plan"
)

// task is an instance's hold on its stage, from its fence on. Its loop runs
// in one goroutine, and only that commits; every field is the loop's own. A
// stage that is restarted after a fault goes on in its task. One whose
// function hangs is left behind together with it: nothing that the old task
// still does has an effect, and a new one fences it.
type task struct {
	*instance
	processor processor
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

	resumes resumption
}

// ownership is what tells the frames of a task from those of others.
type ownership struct {
	owner uint64 // random
	epoch uint64
}

// userCode guards the calls of the user's functions: see invoke.
type userCode struct {
	guard  callGuard
	slot   *inflight.Slot // what the next process may want to know
	handed handed
	turn   userTurn // in quarantine
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

func newTask(in *instance) *task {
	d := in.definition
	s := &task{
		instance:  in,
		ownership: ownership{owner: newOwner()},
		code:      userCode{slot: in.run.inflight.Slot(in.id.String())},
		timers:    timerSet{due: make([]int64, len(d.Timers)), alarms: make([]alarms, len(d.Timers))},
		batch:     newBatch(d.Destinations(), len(d.Inputs)),
		inbox: inbox{
			arrivals: make(chan arrival, 16),
			refusals: make(chan error, len(d.Inputs)),
			stop:     func() {},
		},
		letters: newLetters(),
		pace:    newPace(&in.observed.measures),
	}
	s.traces.tracer = in.run.settings.tracer
	s.code.watch.deadline, s.code.saving.deadline = d.Options.Deadline, d.Options.Deadline
	for k, i := range d.Inputs {
		s.inbox.inputs = append(s.inbox.inputs, &input{
			definition: i,
			producer:   in.producers[k],
			from:       in.run.byStage[i.Stream.Owner].channel,
			taken:      &in.progress.taken[k],
			ahead:      newReadAhead(aheadBytes, aheadPerFrame, &in.waiting.reading[k]),
		})
		s.inbox.inputs[k].head.input = s.inbox.inputs[k]
	}
	if d.Kind == plan.KindSource {
		s.source, s.batch.isShared = newFeeder(), true
	} else {
		s.inbox.replays = newReplays(s)
		s.inbox.inputs = append(s.inbox.inputs, s.inbox.replays.input)
	}
	s.processor = in.functions.newProcessor(s)
	return s
}

// startReaders begins to peek the inputs, from the committed positions on.
func (t *task) startReaders() {
	var stops []func()
	for _, i := range t.inbox.inputs {
		if i.replays != nil {
			stops = append(stops, t.run.inBackground(i.replays.serve))
			continue
		}
		i.reader = i.from.Reader(channel.ReaderConfig{
			Name:         t.id.Consumer(i.definition.Stream.Branch),
			Branch:       i.definition.Stream.Branch,
			Position:     channel.Position{Offset: i.committed.Offset, Sequence: i.committed.Sequence, End: i.committed.End()},
			ProducerLast: i.producer.lastCommit,
			OnTrouble:    func(err error) { t.noteTrouble(&t.waiting.reading[i.definition.Index], err) },
		})
		stops = append(stops,
			t.run.inBackground(func(ctx context.Context) { t.read(ctx, i) }),
			t.run.inBackground(func(ctx context.Context) { i.forward(ctx, t.inbox.arrivals) }))
	}
	t.inbox.stop = func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// input returns the one that positions call so, or nil.
func (t *task) input(stream string) *input {
	for _, i := range t.inbox.inputs {
		if i.definition.Stream.String() == stream {
			return i
		}
	}
	return nil
}

func (t *task) read(ctx context.Context, i *input) {
	if err := i.reader.Run(ctx); err != nil {
		t.inbox.refusals <- fmt.Errorf("read %s: %w", i.definition.Stream, err)
	}
}

// rollback returns to the last commit. Nothing may be in flight.
func (t *task) rollback() error {
	control, _ := t.committed.Last()
	next := make([]uint64, len(t.batch.sections))
	for d := range next {
		next[d] = t.progress.next[d].Load()
	}
	t.traceUndone(nil)
	t.batch.reset(next)
	t.steps = control.Steps
	copy(t.timers.due, control.Timers)
	t.timers.atEnd = nil
	for _, i := range t.inbox.inputs {
		i.rewind()
	}
	t.batch.closed, t.batch.last = false, call{}
	t.failures.restarted()
	t.ending.hook, t.ending.asked, t.ending.cursor = control.EndPhase, control.EndPhase, control.Cursor
	if err := t.processor.keeper().Rollback(t.committed); err != nil {
		return answer.Fatal(err)
	}
	return nil
}

// usesKey is told of the key whose state the call at hand uses.
func (t *task) usesKey(key *string) {
	t.call.key = *key
	t.code.watch.stateOf(key)
}

// idle is how long nothing is due. What waits for something else than its time
// although that has come was seen in this round; what has become due since was
// not.
func (t *task) idle() time.Duration {
	now := t.run.clock.Now()
	idle := time.Hour
	if t.run.space.isFull() { // nothing is called
		return idle
	}
	for k, due := range t.timers.due {
		if due == 0 || t.timerWaits(k) {
			continue
		}
		if left := t.left(k, now); left > 0 || !t.isAfterEnd(k, now) {
			idle = min(idle, left, clockLook)
		}
	}
	idle = t.untilNextTry(now, idle)
	if !t.gate.openUntil.IsZero() {
		idle = min(idle, t.gate.openUntil.Sub(now))
	}
	for _, i := range t.inbox.inputs {
		if !i.until.IsZero() {
			idle = min(idle, i.until.Sub(now))
		}
		for k := range i.waiting {
			if w := &i.waiting[k]; !w.behind && w.until.After(t.looked) {
				idle = min(idle, w.until.Sub(now))
			}
		}
	}
	for _, f := range t.failures.records {
		if f.due.After(t.looked) {
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
