package engine

import (
	"context"
	"errors"
	"io"

	"penstock/engine/faultpoint"
)

// errRewind asks for a rollback that is nobody's failure.
var errRewind = errors.New("rewind")

// mayCall says whether another message may be handled before the next commit.
func (in *session) mayCall() bool {
	return !in.closed && !in.ending && in.batchHasRoom() && !in.run.space.isFull()
}

// batchHasRoom says whether the batch takes the effect of another call.
func (in *session) batchHasRoom() bool {
	b := in.batch
	return b.bytes < in.limits.batch && b.calls < in.maxCalls && b.emitted < in.capacity.Messages
}

// clean says that everything before the next call is committed.
func (in *session) clean() bool { return in.flight == nil && in.batch.calls == 0 }

// callNext calls the function of a timer that is due, or of the next message: in
// turn, for neither may starve the other.
func (in *session) callNext(ctx context.Context) (bool, error) {
	in.failing = nil
	timer := in.dueTimer()
	if timer >= 0 && !in.ticked {
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
			in.failing, in.ticked = f, false
			return true, in.divert(ctx, i, f)
		}
		if in.mayCallOut() {
			in.failing, in.ticked = f, false
			return true, in.callHead(ctx, i)
		}
	}
	if timer >= 0 {
		return in.tick(ctx, timer)
	}
	return false, nil
}

func (in *session) tick(ctx context.Context, timer int) (bool, error) {
	failed := in.calls.Unit != "" && in.calls.Unit == unitOfTimer(timer) || in.timerIsAway(timer)
	if failed && !in.clean() {
		return false, nil // what was before it is committed first
	}
	in.ticked, in.nextTimer = true, timer+1
	return true, in.callTimer(ctx, timer)
}

func (in *session) callHead(ctx context.Context, i *input) error {
	if in.failing != nil {
		i.head.attempt = in.failing.Count + 1
	}
	in.suspected = in.isSuspect(i)
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
	n := len(in.inputs)
	if n > 1 && in.batch.calls%64 == 63 {
		in.turn = (in.turn + 1) % n
	}
	for k := range n {
		turn := (in.turn + k) % n
		if i := in.inputs[turn]; in.offers(ctx, i) {
			in.turn = turn
			return in.orReplay(ctx, i)
		}
	}
	return nil
}

func (in *session) callMessage(ctx context.Context, i *input) error {
	p := &i.head
	in.current, in.currentAt, in.batched, in.attempt = i, p.offset, 1, p.attempt
	in.traceCall(i)
	in.mark()
	in.batch.begin(p.message.Time)
	if err := in.enterMessages(ctx, i, p.offset, 1); err != nil {
		return err
	}
	err := in.check(i, in.machine.callMessage(ctx, p))
	in.leaveCall(ctx)
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
	if in.hold.abandoned() {
		return false, errAbandoned
	}
	if in.batch.callErr != nil && (err == nil || err == io.EOF) {
		err = in.batch.callErr
	}
	switch {
	case err == nil:
	case err == io.EOF:
		in.ending = true
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
	in.lastCall = lastCall{i, in.currentAt, in.batched, in.unit, in.checked}
	in.checking = max(in.checking-1, 0)
	in.replays.served(i)
	in.current = nil
	if i != nil {
		in.batch.took(i.definition.index, in.batched)
	}
	if in.failing != nil {
		in.closed, in.failing = !in.failing.here, nil
	}
	if i == nil || len(in.inputs) > 1 {
		for _, other := range in.inputs {
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
	in.gathered = in.gathered[:0]
	for uint64(len(in.gathered)) < limit && i.peek() {
		if in.failureOf(i) != in.failing {
			break // this one comes alone
		}
		in.gathered = append(in.gathered, i.head)
		in.traceHead(i)
		i.take()
	}
	in.current, in.currentAt, in.batched, in.attempt = i, first, len(in.gathered), in.gathered[0].attempt
	in.batch.begin(in.gathered[len(in.gathered)-1].message.Time)
	if err := in.enterMessages(ctx, i, first, len(in.gathered)); err != nil {
		return err
	}
	err := in.check(i, in.machine.callBatch(ctx, i.definition.index, in.gathered))
	in.leaveCall(ctx)
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
	case in.failing != nil, i.suspect <= i.next && i.next < i.cleared:
		return 1
	case i.next < i.suspect:
		return min(limit, i.suspect-i.next)
	}
	return limit
}

// mark remembers what the next call may change.
func (in *session) mark() {
	in.key = ""
	in.machine.keeper().mark()
	if in.definition.setsTimers {
		in.marked = append(in.marked[:0], in.timers...)
	}
}

// undo returns to the mark, and is false when only a rollback can.
func (in *session) undo() bool {
	if !in.machine.keeper().undo() {
		return false
	}
	if in.definition.setsTimers {
		copy(in.timers, in.marked)
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
		i.alone, i.aloneAt = true, in.currentAt
		return errRewind
	}
	in.traceNothing()
	in.batch.undo()
	if !undone {
		if err := in.rollback(); err != nil {
			return err
		}
	}
	in.current = nil
	var s *snooze
	switch {
	case errors.As(answer, &s):
		i.snooze(in.run.clock.now().Add(s.delay))
	case i.picked > 0:
		return errRewind // the next time it holds up all behind it
	default:
		i.held = true
	}
	return nil
}
