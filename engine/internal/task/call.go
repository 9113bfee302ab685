package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"penstock/engine/faultpoint"
	"penstock/engine/internal/answer"
)

// call is one call of a function of the stage: of messages, or of a unit that is none.
type call struct {
	input     *Input   // whose messages it has; nil when it is of a unit
	offset    uint64   // of the first message
	count     int      // messages
	failure   *Failure // of the message, if it has failed before
	unit      string   // "timer:0", "end:", "commit" …
	due       int64    // of a timer: when it was due
	Attempt   int      // 1, and one more for each time it failed
	Key       string   // of the state that it uses, in a keyed stage
	suspected bool     // it may leave a state that cannot be encoded
	checked   bool     // the state that it left can be encoded
}

// unitCall is a call that has no message.
func (t *Task) unitCall(unit string) call { return call{unit: unit, Attempt: t.nextTry(unit)} }

// headCall is a call of the head of an input; f is what is known of it, if it failed before.
func (t *Task) headCall(i *Input, f *Failure) call {
	c := call{input: i, offset: i.head.Offset, count: 1, failure: f, Attempt: 1, suspected: t.isSuspect(i, f)}
	if f != nil {
		c.Attempt = f.Count + 1
	}
	return c
}

// name is that of the messages, or what people read of the unit.
func (c *call) name() string {
	switch {
	case c.input == nil:
		return toldOf(c.unit)
	case c.count > 1:
		return fmt.Sprintf("%d messages from %s", c.count, c.input.Message(c.offset))
	}
	return "message " + c.input.nameAt(c.offset)
}

// named is what programs read of a unit: the end hook of a stage without keys has
// none behind its colon.
func named(unit string) string { return strings.TrimSuffix(unit, ":") }

// toldOf is what people read of a unit.
func toldOf(unit string) string {
	switch kind, rest, _ := strings.Cut(unit, ":"); {
	case kind == "step" && rest != "":
		return "source call " + rest
	case kind == "timer" && rest != "":
		return "timer " + rest
	case kind == "end" && rest != "":
		return "end of key " + rest
	}
	return named(unit)
}

// place is that of the call's message.
func (c *call) place() Place { return Place{c.input.String(), c.offset} }

// Replay is the request that the call's message comes back for, or 0.
func (c *call) Replay() uint64 {
	if c.input == nil || c.input.Replays == nil {
		return 0
	}
	return c.offset
}

// errRewind asks for a rollback that is not a failure.
var errRewind = errors.New("rewind")

// mayCall says whether another message may be handled before the next commit.
func (t *Task) mayCall() bool {
	return !t.Batch.closed && !t.ending.asked && t.batchHasRoom() && !t.Run.Space.IsFull()
}

// batchHasRoom says whether the batch takes the effect of another call.
func (t *Task) batchHasRoom() bool {
	b := t.Batch
	return b.Bytes < t.Format.Limits.Batch && b.Calls < t.Batch.most && b.Emitted < t.Format.Capacity.Messages
}

// clean says that everything before the next call is committed.
func (t *Task) clean() bool { return t.Txn == nil && t.Batch.Calls == 0 }

// callNext calls the function of a timer that is due, or of the next message: in
// turn, for neither may starve the other.
func (t *Task) callNext(ctx context.Context) (bool, error) {
	timer := t.dueTimer()
	if timer >= 0 && !t.timers.ticked {
		return t.tick(ctx, timer)
	}
	if i := t.choose(ctx); i != nil {
		f := t.failureOf(i)
		if f != nil && f.passed {
			f.here = true // it need not be alone
		} else if !t.clean() && t.mustBeAlone(i, f) {
			return false, nil
		}
		isOver := f != nil && (f.passed || t.usedUp(f))
		if isOver || t.mayCallOut() {
			t.timers.ticked, t.call = false, t.headCall(i, f)
			if isOver {
				return true, t.divert(ctx, i, f)
			}
			return true, t.callHead(ctx, i)
		}
	}
	if timer >= 0 {
		return t.tick(ctx, timer)
	}
	return false, nil
}

func (t *Task) tick(ctx context.Context, timer int) (bool, error) {
	failed := t.Failures.ofUnit.Unit != "" && t.Failures.ofUnit.Unit == unitOfTimer(timer) || t.timerIsAway(timer)
	if failed && !t.clean() {
		return false, nil // what was before it is committed first
	}
	t.timers.ticked, t.timers.next = true, timer+1
	return true, t.callTimer(ctx, timer)
}

func (t *Task) callHead(ctx context.Context, i *Input) error {
	i.head.Attempt = t.call.Attempt
	switch {
	case i.Replays != nil:
		return t.callReplay(ctx, i)
	case i.Input.Batch:
		return t.callBatch(ctx, i)
	}
	return t.callMessage(ctx, i)
}

// mustBeAlone says whether what was before the head has to be committed before
// it is called.
func (t *Task) mustBeAlone(i *Input, f *Failure) bool {
	switch {
	case f != nil && (!f.here || t.usedUp(f) && t.stopsAtLimit(f)), i.alone && i.aloneAt == i.head.Offset:
		return true
	case t.Run.Quarantine.IsOn() && t.distance(i, i.head.Offset) == 0:
		return true
	}
	return t.Failures.free() == 0
}

// choose returns an input whose head may be handled, in turn.
func (t *Task) choose(ctx context.Context) *Input {
	n := len(t.Inbox.Inputs)
	if n > 1 && t.Batch.Calls%64 == 63 {
		t.Inbox.next = (t.Inbox.next + 1) % n
	}
	for k := range n {
		next := (t.Inbox.next + k) % n
		if i := t.Inbox.Inputs[next]; t.offers(ctx, i) {
			t.Inbox.next = next
			return t.orReplay(ctx, i)
		}
	}
	return nil
}

func (t *Task) callMessage(ctx context.Context, i *Input) error {
	p := &i.head
	t.traceCall(i)
	t.mark()
	t.Batch.begin(p.Message.Time)
	err := t.invoke(ctx, func() error { return t.check(i, t.Processor.CallMessage(ctx, p)) })
	return t.conclude(ctx, i, err)
}

// conclude takes the message at hand, if its call succeeded.
func (t *Task) conclude(ctx context.Context, i *Input, err error) error {
	taken, err := t.answer(ctx, i, err)
	if taken {
		t.traceHead(i)
		i.take()
		t.moved(i)
	}
	return err
}

// answer handles what a function returned for its message or messages. It is true when they are consumed, and an
// error when the call failed.
func (t *Task) answer(ctx context.Context, i *Input, err error) (taken bool, _ error) {
	if t.Code.Custody.Abandoned() {
		return false, errAbandoned
	}
	if t.Batch.CallErr != nil && (err == nil || err == io.EOF) {
		err = t.Batch.CallErr
	}
	switch {
	case err == nil:
	case err == io.EOF:
		t.ending.asked = true
	case answer.IsPostponed(err):
		t.calledNothing()
		t.inputIsBack(i)
		return false, t.postpone(ctx, i, err)
	case answer.IsUnavailable(err):
		t.traceFailed(err)
		t.calledOut(false)
		return false, t.postpone(ctx, i, t.whileUnavailable(i, err))
	case answer.IsRejected(err):
		t.calledNothing()
		return false, err
	default:
		return false, err // fail tells the breaker, unless it was stopped
	}
	t.calledOut(true)
	t.inputIsBack(i)
	faultpoint.Hit(faultpoint.MidProcess, t.Definition.Name)
	return true, nil
}

// moved records that a call succeeded: held messages of the other inputs are tried again.
func (t *Task) moved(i *Input) {
	t.Batch.Calls++
	t.Batch.last = t.call
	t.Failures.checking = max(t.Failures.checking-1, 0)
	t.Inbox.Replays.served(i)
	if i != nil {
		t.Batch.took(i.index, t.call.count)
	}
	if f := t.call.failure; f != nil {
		t.Batch.closed = !f.here
	}
	t.call = call{}
	if i == nil || len(t.Inbox.Inputs) > 1 {
		for _, other := range t.Inbox.Inputs {
			if other != i {
				other.held = false
			}
		}
	}
}

func (t *Task) callBatch(ctx context.Context, i *Input) error {
	limit := t.batchLimit(i)
	first := i.next
	t.traceCall(i)
	t.Inbox.gathered = t.Inbox.gathered[:0]
	for uint64(len(t.Inbox.gathered)) < limit && i.peek() {
		if t.failureOf(i) != t.call.failure {
			break // this one comes alone
		}
		t.Inbox.gathered = append(t.Inbox.gathered, i.head)
		t.traceHead(i)
		i.take()
	}
	t.call.offset, t.call.count = first, len(t.Inbox.gathered)
	t.Batch.begin(t.Inbox.gathered[len(t.Inbox.gathered)-1].Message.Time)
	err := t.invoke(ctx, func() error { return t.check(i, t.Processor.CallBatch(ctx, i.Input.Index, t.Inbox.gathered)) })
	taken, err := t.answer(ctx, i, err)
	if taken {
		t.moved(i)
	}
	return err
}

// batchLimit is how many messages the next batch call may get.
func (t *Task) batchLimit(i *Input) uint64 {
	limit := uint64(t.Definition.Options.Batch)
	if t.Run.Quarantine.IsOn() {
		limit = min(limit, max(t.distance(i, i.next), 1))
	}
	switch {
	case t.call.failure != nil, i.suspect <= i.next && i.next < i.cleared:
		return 1
	case i.next < i.suspect:
		return min(limit, i.suspect-i.next)
	}
	return limit
}
