package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"penstock/engine/faultpoint"
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
func (in *session) unitCall(unit string) call { return call{unit: unit, attempt: in.nextTry(unit)} }

// messageCall is a call of messages from an offset on; f is what is known of the first, if it failed before.
func (in *session) messageCall(i *input, offset uint64, count int, f *failure) call {
	c := call{input: i, offset: offset, count: count, failure: f, attempt: 1, suspected: in.isSuspect(i, offset, f)}
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
func (c *call) place() place { return place{c.input.definition.stream.String(), c.offset} }

// errRewind asks for a rollback that is nobody's failure.
var errRewind = errors.New("rewind")

// mayCall says whether another message may be handled before the next commit.
func (in *session) mayCall() bool {
	return !in.batch.closed && !in.ending.asked && in.batchHasRoom() && !in.run.space.isFull()
}

// batchHasRoom says whether the batch takes the effect of another call.
func (in *session) batchHasRoom() bool {
	b := in.batch
	return b.bytes < in.format.limits.batch && b.calls < in.batch.most && b.emitted < in.format.capacity.Messages
}

// clean says that everything before the next call is committed.
func (in *session) clean() bool { return in.flight == nil && in.batch.calls == 0 }

// callNext calls the function of a timer that is due, or of the next message: in
// turn, for neither may starve the other.
func (in *session) callNext(ctx context.Context) (bool, error) {
	timer := in.dueTimer()
	if timer >= 0 && !in.timers.ticked {
		return in.tick(ctx, timer)
	}
	if i := in.choose(ctx); i != nil {
		f := in.failureOf(i)
		if f != nil && f.passed {
			f.here = true // it need not be alone
		} else if !in.clean() && in.mustBeAlone(i, f) {
			return false, nil
		}
		if f != nil && (f.passed || in.usedUp(f)) {
			in.timers.ticked = false
			in.call = in.messageCall(i, i.head.offset, 1, f)
			return true, in.divert(ctx, i, f)
		}
		if in.mayCallOut() {
			in.timers.ticked = false
			in.call = in.messageCall(i, i.head.offset, 1, f)
			return true, in.callHead(ctx, i)
		}
	}
	if timer >= 0 {
		return in.tick(ctx, timer)
	}
	return false, nil
}

func (in *session) tick(ctx context.Context, timer int) (bool, error) {
	failed := in.failures.ofUnit.Unit != "" && in.failures.ofUnit.Unit == unitOfTimer(timer) || in.timerIsAway(timer)
	if failed && !in.clean() {
		return false, nil // what was before it is committed first
	}
	in.timers.ticked, in.timers.next = true, timer+1
	return true, in.callTimer(ctx, timer)
}

func (in *session) callHead(ctx context.Context, i *input) error {
	i.head.attempt = in.call.attempt
	switch {
	case i.replays != nil:
		return in.callReplay(ctx, i)
	case i.definition.batch:
		return in.callBatch(ctx, i)
	}
	return in.callMessage(ctx, i)
}

// mustBeAlone says whether what was before the head has to be committed before
// it is called.
func (in *session) mustBeAlone(i *input, f *failure) bool {
	switch {
	case f != nil && (!f.here || in.usedUp(f) && in.stopsAtLimit(f)), i.alone && i.aloneAt == i.head.offset:
		return true
	case in.run.careful.isOn() && in.room(i, i.head.offset) == 0:
		return true
	}
	return in.failures.free() == 0
}

// choose returns an input whose head may be handled, in turn.
func (in *session) choose(ctx context.Context) *input {
	n := len(in.inbox.inputs)
	if n > 1 && in.batch.calls%64 == 63 {
		in.inbox.next = (in.inbox.next + 1) % n
	}
	for k := range n {
		next := (in.inbox.next + k) % n
		if i := in.inbox.inputs[next]; in.offers(ctx, i) {
			in.inbox.next = next
			return in.orReplay(ctx, i)
		}
	}
	return nil
}

func (in *session) callMessage(ctx context.Context, i *input) error {
	p := &i.head
	in.traceCall(i)
	in.mark()
	in.batch.begin(p.message.Time)
	err := in.invoke(ctx, func() error { return in.check(i, in.machine.callMessage(ctx, p)) })
	return in.conclude(i, err)
}

// conclude takes the message at hand, if its call succeeded.
func (in *session) conclude(i *input, err error) error {
	taken, err := in.answer(i, err)
	if taken {
		in.traceHead(i)
		i.take()
		in.moved(i)
	}
	return err
}

// answer looks what a function said of its message, or messages: true when
// they are taken, an error when it failed.
func (in *session) answer(i *input, err error) (taken bool, _ error) {
	if in.code.hold.abandoned() {
		return false, errAbandoned
	}
	if in.batch.callErr != nil && (err == nil || err == io.EOF) {
		err = in.batch.callErr
	}
	switch {
	case err == nil:
	case err == io.EOF:
		in.ending.asked = true
	case isPostponed(err):
		in.calledNothing()
		in.inputIsBack(i)
		return false, in.postpone(i, err)
	case isUnavailable(err):
		in.traceFailed(err)
		in.calledOut(false)
		return false, in.postpone(i, in.whileUnavailable(i, err))
	case isRejected(err):
		in.calledNothing()
		return false, err
	default:
		return false, err // fail tells the breaker, unless it was stopped
	}
	in.calledOut(true)
	in.inputIsBack(i)
	faultpoint.Hit(faultpoint.MidProcess, in.definition.name)
	return true, nil
}

// moved notes that a call succeeded: who was held by the others is asked again.
func (in *session) moved(i *input) {
	in.batch.calls++
	in.batch.last = in.call
	in.failures.checking = max(in.failures.checking-1, 0)
	in.inbox.replays.served(i)
	if i != nil {
		in.batch.took(i.definition.index, in.call.count)
	}
	if f := in.call.failure; f != nil {
		in.batch.closed = !f.here
	}
	in.call = call{}
	if i == nil || len(in.inbox.inputs) > 1 {
		for _, other := range in.inbox.inputs {
			if other != i {
				other.held = false
			}
		}
	}
}

func (in *session) callBatch(ctx context.Context, i *input) error {
	limit := in.batchLimit(i)
	first := i.next
	in.traceCall(i)
	in.inbox.gathered = in.inbox.gathered[:0]
	for uint64(len(in.inbox.gathered)) < limit && i.peek() {
		if in.failureOf(i) != in.call.failure {
			break // this one comes alone
		}
		in.inbox.gathered = append(in.inbox.gathered, i.head)
		in.traceHead(i)
		i.take()
	}
	in.call.offset, in.call.count = first, len(in.inbox.gathered)
	in.batch.begin(in.inbox.gathered[len(in.inbox.gathered)-1].message.Time)
	err := in.invoke(ctx, func() error { return in.check(i, in.machine.callBatch(ctx, i.definition.index, in.inbox.gathered)) })
	taken, err := in.answer(i, err)
	if taken {
		in.moved(i)
	}
	return err
}

// batchLimit is how many messages the next batch call may get.
func (in *session) batchLimit(i *input) uint64 {
	limit := uint64(in.definition.options.batch)
	if in.run.careful.isOn() {
		limit = min(limit, max(in.room(i, i.next), 1))
	}
	switch {
	case in.call.failure != nil, i.suspect <= i.next && i.next < i.cleared:
		return 1
	case i.next < i.suspect:
		return min(limit, i.suspect-i.next)
	}
	return limit
}

// mark remembers what the next call may change.
func (in *session) mark() {
	in.machine.keeper().Mark()
	if in.definition.setsTimers {
		in.timers.marked = append(in.timers.marked[:0], in.timers.due...)
	}
}

// undo returns to the mark, and is false when only a rollback can.
func (in *session) undo() bool {
	if !in.machine.keeper().Undo() {
		return false
	}
	if in.definition.setsTimers {
		copy(in.timers.due, in.timers.marked)
	}
	return true
}

func isPostponed(err error) bool {
	var s *snooze
	return errors.Is(err, Hold) || errors.As(err, &s)
}

// postpone undoes a call that was answered with Hold or Snooze. Where the
// state cannot simply be put back the instance returns to its last commit,
// commits what was before the message, and asks for it alone.
func (in *session) postpone(i *input, answer error) error {
	undone := !i.definition.batch && in.undo()
	if !undone && !in.clean() {
		i.alone, i.aloneAt = true, in.call.offset
		return errRewind
	}
	in.traceNothing()
	in.batch.undo()
	if !undone {
		if err := in.rollback(); err != nil {
			return err
		}
	}
	in.call = call{}
	var s *snooze
	switch {
	case errors.As(answer, &s):
		i.snooze(in.run.clock.Now().Add(s.delay))
	case i.picked > 0:
		return errRewind // the next time it holds up all behind it
	default:
		i.held = true
	}
	return nil
}
