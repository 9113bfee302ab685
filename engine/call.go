package engine

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
	input     *input   // whose messages it has; nil when it is of a unit
	offset    uint64   // of the first message
	count     int      // messages
	failure   *failure // of the message, if it has failed before
	unit      string   // "timer:0", "end:", "commit" …
	due       int64    // of a timer: when it was due
	attempt   int      // 1, and one more for each time it failed
	key       string   // of the state that it uses, in a keyed stage
	suspected bool     // it may leave a state that cannot be encoded
	checked   bool     // the state that it left can be encoded
}

// unitCall is a call that has no message.
func (t *task) unitCall(unit string) call { return call{unit: unit, attempt: t.nextTry(unit)} }

// headCall is a call of the head of an input; f is what is known of it, if it failed before.
func (t *task) headCall(i *input, f *failure) call {
	c := call{input: i, offset: i.head.offset, count: 1, failure: f, attempt: 1, suspected: t.isSuspect(i, f)}
	if f != nil {
		c.attempt = f.Count + 1
	}
	return c
}

// name is that of the messages, or of the unit.
func (c *call) name() string {
	switch {
	case c.input == nil:
		return named(c.unit)
	case c.count > 1:
		return fmt.Sprintf("%d messages from %s", c.count, messageUnit(c.input.definition, c.offset))
	}
	return "message " + messageUnit(c.input.definition, c.offset)
}

// named is what people read of a unit: the end hook of a stage without keys has
// none behind its colon.
func named(unit string) string { return strings.TrimSuffix(unit, ":") }

// place is that of the call's message.
func (c *call) place() place { return place{c.input.definition.Stream.String(), c.offset} }

// errRewind asks for a rollback that is not a failure.
var errRewind = errors.New("rewind")

// mayCall says whether another message may be handled before the next commit.
func (t *task) mayCall() bool {
	return !t.batch.closed && !t.ending.asked && t.batchHasRoom() && !t.run.space.isFull()
}

// batchHasRoom says whether the batch takes the effect of another call.
func (t *task) batchHasRoom() bool {
	b := t.batch
	return b.bytes < t.format.limits.batch && b.calls < t.batch.most && b.emitted < t.format.capacity.Messages
}

// clean says that everything before the next call is committed.
func (t *task) clean() bool { return t.flight == nil && t.batch.calls == 0 }

// callNext calls the function of a timer that is due, or of the next message: in
// turn, for neither may starve the other.
func (t *task) callNext(ctx context.Context) (bool, error) {
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

func (t *task) tick(ctx context.Context, timer int) (bool, error) {
	failed := t.failures.ofUnit.Unit != "" && t.failures.ofUnit.Unit == unitOfTimer(timer) || t.timerIsAway(timer)
	if failed && !t.clean() {
		return false, nil // what was before it is committed first
	}
	t.timers.ticked, t.timers.next = true, timer+1
	return true, t.callTimer(ctx, timer)
}

func (t *task) callHead(ctx context.Context, i *input) error {
	i.head.attempt = t.call.attempt
	switch {
	case i.replays != nil:
		return t.callReplay(ctx, i)
	case i.definition.Batch:
		return t.callBatch(ctx, i)
	}
	return t.callMessage(ctx, i)
}

// mustBeAlone says whether what was before the head has to be committed before
// it is called.
func (t *task) mustBeAlone(i *input, f *failure) bool {
	switch {
	case f != nil && (!f.here || t.usedUp(f) && t.stopsAtLimit(f)), i.alone && i.aloneAt == i.head.offset:
		return true
	case t.run.quarantine.isOn() && t.room(i, i.head.offset) == 0:
		return true
	}
	return t.failures.free() == 0
}

// choose returns an input whose head may be handled, in turn.
func (t *task) choose(ctx context.Context) *input {
	n := len(t.inbox.inputs)
	if n > 1 && t.batch.calls%64 == 63 {
		t.inbox.next = (t.inbox.next + 1) % n
	}
	for k := range n {
		next := (t.inbox.next + k) % n
		if i := t.inbox.inputs[next]; t.offers(ctx, i) {
			t.inbox.next = next
			return t.orReplay(ctx, i)
		}
	}
	return nil
}

func (t *task) callMessage(ctx context.Context, i *input) error {
	p := &i.head
	t.traceCall(i)
	t.mark()
	t.batch.begin(p.message.Time)
	err := t.invoke(ctx, func() error { return t.check(i, t.processor.callMessage(ctx, p)) })
	return t.conclude(i, err)
}

// conclude takes the message at hand, if its call succeeded.
func (t *task) conclude(i *input, err error) error {
	taken, err := t.answer(i, err)
	if taken {
		t.traceHead(i)
		i.take()
		t.moved(i)
	}
	return err
}

// answer looks what a function said of its message, or messages: true when
// they are taken, an error when it failed.
func (t *task) answer(i *input, err error) (taken bool, _ error) {
	if t.code.guard.abandoned() {
		return false, errAbandoned
	}
	if t.batch.callErr != nil && (err == nil || err == io.EOF) {
		err = t.batch.callErr
	}
	switch {
	case err == nil:
	case err == io.EOF:
		t.ending.asked = true
	case answer.IsPostponed(err):
		t.calledNothing()
		t.inputIsBack(i)
		return false, t.postpone(i, err)
	case answer.IsUnavailable(err):
		t.traceFailed(err)
		t.calledOut(false)
		return false, t.postpone(i, t.whileUnavailable(i, err))
	case answer.IsRejected(err):
		t.calledNothing()
		return false, err
	default:
		return false, err // fail tells the breaker, unless it was stopped
	}
	t.calledOut(true)
	t.inputIsBack(i)
	faultpoint.Hit(faultpoint.MidProcess, t.definition.Name)
	return true, nil
}

// moved notes that a call succeeded: who was held by the others is asked again.
func (t *task) moved(i *input) {
	t.batch.calls++
	t.batch.last = t.call
	t.failures.checking = max(t.failures.checking-1, 0)
	t.inbox.replays.served(i)
	if i != nil {
		t.batch.took(i.definition.Index, t.call.count)
	}
	if f := t.call.failure; f != nil {
		t.batch.closed = !f.here
	}
	t.call = call{}
	if i == nil || len(t.inbox.inputs) > 1 {
		for _, other := range t.inbox.inputs {
			if other != i {
				other.held = false
			}
		}
	}
}

func (t *task) callBatch(ctx context.Context, i *input) error {
	limit := t.batchLimit(i)
	first := i.next
	t.traceCall(i)
	t.inbox.gathered = t.inbox.gathered[:0]
	for uint64(len(t.inbox.gathered)) < limit && i.peek() {
		if t.failureOf(i) != t.call.failure {
			break // this one comes alone
		}
		t.inbox.gathered = append(t.inbox.gathered, i.head)
		t.traceHead(i)
		i.take()
	}
	t.call.offset, t.call.count = first, len(t.inbox.gathered)
	t.batch.begin(t.inbox.gathered[len(t.inbox.gathered)-1].message.Time)
	err := t.invoke(ctx, func() error { return t.check(i, t.processor.callBatch(ctx, i.definition.Index, t.inbox.gathered)) })
	taken, err := t.answer(i, err)
	if taken {
		t.moved(i)
	}
	return err
}

// batchLimit is how many messages the next batch call may get.
func (t *task) batchLimit(i *input) uint64 {
	limit := uint64(t.definition.Options.Batch)
	if t.run.quarantine.isOn() {
		limit = min(limit, max(t.room(i, i.next), 1))
	}
	switch {
	case t.call.failure != nil, i.suspect <= i.next && i.next < i.cleared:
		return 1
	case i.next < i.suspect:
		return min(limit, i.suspect-i.next)
	}
	return limit
}

// mark remembers what the next call may change.
func (t *task) mark() {
	t.processor.keeper().Mark()
	if t.definition.SetsTimers {
		t.timers.marked = append(t.timers.marked[:0], t.timers.due...)
	}
}

// undo returns to the mark, and is false when only a rollback can.
func (t *task) undo() bool {
	if !t.processor.keeper().Undo() {
		return false
	}
	if t.definition.SetsTimers {
		copy(t.timers.due, t.timers.marked)
	}
	return true
}

// postpone undoes a call that was answered with Hold or Snooze. Where the
// state cannot simply be put back the instance returns to its last commit,
// commits what was before the message, and asks for it alone.
func (t *task) postpone(i *input, said error) error {
	undone := !i.definition.Batch && t.undo()
	if !undone && !t.clean() {
		i.alone, i.aloneAt = true, t.call.offset
		return errRewind
	}
	t.traceNothing()
	t.batch.undo()
	if !undone {
		if err := t.rollback(); err != nil {
			return err
		}
	}
	t.call = call{}
	var s *answer.Snooze
	switch {
	case errors.As(said, &s):
		i.snooze(t.run.clock.Now().Add(s.Delay))
	case i.picked > 0:
		return errRewind // the next time it holds up all behind it
	default:
		i.held = true
	}
	return nil
}
