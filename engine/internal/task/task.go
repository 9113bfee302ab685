package task

import (
	"context"
	"time"

	"penstock/engine/channel"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/inflight"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/register"
)

// Task is an instance's hold on its stage, from its fence on. Its loop runs
// in one goroutine, and only that commits; every field is the loop's own. A
// stage that is restarted after a fault goes on in its task. One whose
// function hangs is left behind together with it: nothing that the old task
// still does has an effect, and a new one fences it.
type Task struct {
	*Instance
	Processor Processor
	Ownership ownership
	Code      userCode
	Inbox     inbox
	role      role
	steps     uint64 // calls of the source
	round

	call     call // at hand; of a source, that of its hooks
	timers   timerSet
	Batch    *batch
	Txn      *txn // nil unless a commit is under way
	ending   ending
	pace     pace
	Failures failures // that are not committed
	letters  letters  // on their way
	outside
	size   stateSize
	Traces tracing

	resumes resumption
}

// round is what one round of the loop goes by.
type round struct {
	Looked time.Time // when it began: what was due then was seen
	roomAt uint64    // what readers had taken when the wait for room began
}

// outside is how those do that the functions of the stage call.
type outside struct {
	outages outages // calls that wait for the other side
	gate    gate    // of the circuit breaker
}

// ownership is what tells the frames of a task from those of others.
type ownership struct {
	Owner uint64 // random
	Epoch uint64
	taken register.Taken // of the take-over; zero where the stage had ended
}

// userCode guards the calls of the user's functions: see invoke.
type userCode struct {
	Custody custody
	slot    *inflight.Slot // what the next process may want to know
	handed  handed
	turn    userTurn // in quarantine
	watch   watch
	saving  watch // of the state's codec, which a source's function runs beside
}

// inbox are the inputs, and what their readers bring.
type inbox struct {
	Inputs   []*Input // those of the stage, and that of replays
	Replays  *replays // nil for a source
	next     int      // whose turn it is
	gathered []Peeked // messages of a batch call
	arrivals chan Arrival
	Refusals chan error // a reader that cannot go on
	stop     func()     // the readers, and wait for them
}

func NewTask(in *Instance) *Task {
	d := in.Definition
	s := &Task{
		Instance:  in,
		Ownership: ownership{Owner: newOwner()},
		Code:      userCode{slot: in.Run.Inflight.Slot(in.ID.String())},
		timers:    timerSet{due: make([]int64, len(d.Timers)), alarms: make([]alarms, len(d.Timers))},
		Batch:     newBatch(d, in.ID),
		Inbox: inbox{
			arrivals: make(chan Arrival, 16),
			Refusals: make(chan error, len(in.Edges)),
			stop:     func() {},
		},
		letters: newLetters(),
		pace:    newPace(&in.Observed.measures),
	}
	s.Traces.tracer = in.Run.Settings.Tracer
	s.Code.watch.deadline, s.Code.saving.deadline = d.Options.Deadline, d.Options.Deadline
	for k, e := range in.Edges {
		s.Inbox.Inputs = append(s.Inbox.Inputs, &Input{
			Edge:  e,
			index: k,
			from:  in.Run.InstanceOf(e.From).Channel,
			taken: &in.Progress.Taken[k],
			run:   in.Run.Identity,
			Ahead: NewReadAhead(aheadBytes, aheadPerFrame, &in.Waiting.reading[k]),
		})
		s.Inbox.Inputs[k].head.Input = s.Inbox.Inputs[k]
	}
	if d.Kind == plan.KindSource {
		s.role, s.Batch.isShared = newSource(s), true
	} else {
		s.role = processorRole{s}
		s.Inbox.Replays = newReplays(s)
		s.Inbox.Inputs = append(s.Inbox.Inputs, s.Inbox.Replays.input)
	}
	s.Processor = in.functions.NewProcessor(s)
	return s
}

// Source is the task as a source's, or nil.
func (t *Task) Source() *Source {
	s, _ := t.role.(*Source)
	return s
}

// StartReaders begins to peek the inputs, from the committed positions on.
func (t *Task) StartReaders() {
	var stops []func()
	for _, i := range t.Inbox.Inputs {
		if i.Replays != nil {
			stops = append(stops, t.Run.InBackground(i.Replays.serve))
			continue
		}
		i.Reader = i.from.Reader(channel.ReaderConfig{
			Name:         i.Consumer(),
			Branch:       i.Branch(),
			Partition:    i.Partition(),
			Position:     channel.Position{Offset: i.Committed.Offset, Sequence: i.Committed.Sequence, End: i.Committed.End()},
			ProducerLast: i.Producer.lastCommit,
			OnTrouble:    func(err error) { t.noteTrouble(&t.Waiting.reading[i.index], err) },
		})
		stops = append(stops,
			t.Run.InBackground(func(ctx context.Context) { t.read(ctx, i) }),
			t.Run.InBackground(func(ctx context.Context) { i.forward(ctx, t.Inbox.arrivals) }))
	}
	t.Inbox.stop = func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// Input returns the one whose edge is called so, or nil.
func (t *Task) Input(edge string) *Input {
	for _, i := range t.Inbox.Inputs {
		if i.String() == edge {
			return i
		}
	}
	return nil
}

func (t *Task) read(ctx context.Context, i *Input) {
	if err := i.Reader.Run(ctx); err != nil {
		t.Inbox.Refusals <- i.cannotRead(err)
	}
}

// rollback returns to the last commit. Nothing may be in flight.
func (t *Task) rollback() error {
	control, _ := t.Committed.Last()
	next := make([]uint64, len(t.Batch.sections))
	for d := range next {
		next[d] = t.Progress.next[d].Load()
	}
	t.traceUndone(nil)
	t.Batch.reset(next)
	t.steps = control.Steps
	copy(t.timers.due, control.Timers)
	t.timers.atEnd = nil
	for _, i := range t.Inbox.Inputs {
		i.rewind()
	}
	t.Batch.closed, t.Batch.last = false, call{}
	t.Failures.restarted()
	t.ending.hook, t.ending.asked, t.ending.cursor = control.EndPhase, control.EndPhase, control.Cursor
	if err := t.Processor.Keeper().Rollback(t.Committed); err != nil {
		return answer.Fatal(err)
	}
	return nil
}

// UsesKey is told of the key whose state the call at hand uses.
func (t *Task) UsesKey(key *string) {
	t.call.Key = *key
	t.Code.watch.stateOf(key)
}

// Idle is how long the loop may sleep until the next message or timer is due. A message or timer whose time has come
// but which waits for something else (a commit, capacity) was considered in this round and does not shorten the
// sleep. One that became due during the round was not considered yet, and does.
func (t *Task) Idle() time.Duration {
	now := t.Run.Clock.Now()
	idle := time.Hour
	if t.Run.Space.IsFull() { // nothing is called
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
	for _, i := range t.Inbox.Inputs {
		if !i.Until.IsZero() {
			idle = min(idle, i.Until.Sub(now))
		}
		for k := range i.waiting {
			if w := &i.waiting[k]; !w.behind && w.until.After(t.Looked) {
				idle = min(idle, w.until.Sub(now))
			}
		}
	}
	for _, f := range t.Failures.Records {
		if f.Due.After(t.Looked) {
			idle = min(idle, f.Due.Sub(now))
		}
	}
	if idle <= 0 {
		return JustDue
	}
	return idle
}

// clockLook is how soon a loop with timers notices that the clock was put forward.
const clockLook = time.Minute

// JustDue is how long the loop sleeps although something is due. Either it became due only now, or it waits for a
// commit or for capacity. Both of these wake the loop, so the loop must not spin meanwhile.
const JustDue = time.Millisecond
