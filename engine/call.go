package engine

import (
	"context"
	"errors"
	"io"
	"time"

	"penstock/engine/faultpoint"
)

// errRewind asks for a rollback that is nobody's failure.
var errRewind = errors.New("rewind")

// mayCall says whether another message may be handled before the next commit.
func (in *session) mayCall() bool { return !in.closed && !in.ending && in.batchHasRoom() }

// batchHasRoom says whether the batch takes the effect of another call.
func (in *session) batchHasRoom() bool {
	b := in.batch
	return b.bytes < batchBytes && b.calls < in.maxCalls && b.emitted < in.capacity.Messages
}

// clean says that everything before the next call is committed.
func (in *session) clean() bool { return in.flight == nil && in.batch.calls == 0 }

func (in *session) callNext(ctx context.Context) (bool, error) {
	if timer := in.dueTimer(); timer >= 0 {
		if in.calls.Unit != "" && in.calls.Unit == unitOfTimer(timer) && !in.clean() {
			return false, nil // it failed: what was before it is committed first
		}
		return true, in.callTimer(ctx, timer)
	}
	i := in.choose()
	if i == nil {
		return false, nil
	}
	failing := in.failing == i && in.failingAt == i.next
	if (failing || i.alone && i.aloneAt == i.next) && !in.clean() {
		return false, nil
	}
	if failing && in.usedUp() {
		return true, in.divert(ctx, i)
	}
	if !in.mayCallOut() {
		return false, nil
	}
	if i.definition.batch {
		return true, in.callBatch(ctx, i, failing)
	}
	return true, in.callMessage(ctx, i, failing)
}

// choose returns an input whose head may be handled, in turn.
func (in *session) choose() *input {
	n := len(in.inputs)
	if n > 1 && in.batch.calls%64 == 63 {
		in.turn = (in.turn + 1) % n
	}
	for k := range n {
		turn := (in.turn + k) % n
		i := in.inputs[turn]
		if !i.peek() || i.held {
			continue
		}
		if !i.until.IsZero() && time.Now().Before(i.until) {
			continue
		}
		in.turn = turn
		return i
	}
	return nil
}

func (in *session) callMessage(ctx context.Context, i *input, failing bool) error {
	p := &i.head
	if failing {
		p.attempt = in.attempts.Count + 1
	}
	in.current, in.currentAt, in.batched, in.attempt = i, i.next, 1, p.attempt
	in.mark()
	in.batch.begin(p.message.Time)
	in.watch.enterMessages(i.definition.index, i.next, 1)
	err := in.machine.callMessage(ctx, p)
	in.watch.leave()
	taken, err := in.answer(i, err)
	if taken {
		i.take()
		in.moved(i, failing)
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
		return false, in.postpone(i, err)
	case isUnavailable(err):
		in.calledOut(false)
		return false, in.postpone(i, in.whileUnavailable(err))
	case isRejected(err):
		in.calledNothing()
		return false, err
	default:
		return false, err // fail tells the breaker, unless it was stopped
	}
	in.calledOut(true)
	faultpoint.Hit(faultpoint.MidProcess, in.definition.name)
	return true, nil
}

// moved notes that a call succeeded: who was held by the others is asked again.
func (in *session) moved(i *input, failing bool) {
	in.batch.calls++
	in.lastCall, in.lastCallAt = i, in.currentAt
	in.current = nil
	if failing {
		in.failing, in.closed = nil, true
	}
	if i == nil || len(in.inputs) > 1 {
		for _, other := range in.inputs {
			if other != i {
				other.held = false
			}
		}
	}
}

func (in *session) callBatch(ctx context.Context, i *input, failing bool) error {
	limit := in.batchLimit(i, failing)
	first := i.next
	in.gathered = in.gathered[:0]
	for uint64(len(in.gathered)) < limit && i.peek() {
		if in.failing == i && in.failingAt == i.next && !failing {
			break
		}
		if failing {
			i.head.attempt = in.attempts.Count + 1
		}
		in.gathered = append(in.gathered, i.head)
		i.take()
	}
	in.current, in.currentAt, in.batched, in.attempt = i, first, len(in.gathered), in.gathered[0].attempt
	in.batch.begin(in.gathered[len(in.gathered)-1].message.Time)
	in.watch.enterMessages(i.definition.index, first, len(in.gathered))
	err := in.machine.callBatch(ctx, i.definition.index, in.gathered)
	in.watch.leave()
	taken, err := in.answer(i, err)
	if taken {
		in.moved(i, failing)
	}
	return err
}

// batchLimit is how many messages the next batch call may get.
func (in *session) batchLimit(i *input, failing bool) uint64 {
	limit := uint64(in.definition.options.batch)
	switch {
	case failing, i.suspect <= i.next && i.next < i.cleared:
		return 1
	case i.next < i.suspect:
		return min(limit, i.suspect-i.next)
	}
	return limit
}

// mark remembers what the next call may change.
func (in *session) mark() {
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
	in.batch.undo()
	if !undone {
		if err := in.rollback(); err != nil {
			return err
		}
	}
	var s *snooze
	if errors.As(answer, &s) {
		i.until = time.Now().Add(s.delay)
	} else {
		i.held = true
	}
	in.current = nil
	return nil
}
