package engine

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/supervise"
)

// fail decides what a failure means. nil: go on in this life.
func (in *session) fail(ctx context.Context, err error) error {
	if errors.Is(err, errAbandoned) || errors.Is(err, errLettersFull) || errors.Is(err, errStopsWaiting) {
		return err
	}
	if errors.Is(err, errRewind) {
		if err := in.settle(ctx, true); err != nil {
			return err
		}
		return in.goBack(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isUnavailable(err) && (in.call.input != nil || timerOf(in.call.unit) >= 0) {
		return in.undoAway(ctx, err)
	}
	in.calledOut(false)
	in.hasAnswered()
	if isFatal(err) {
		return in.escalate(err)
	}
	var limit *AtLimitError
	if errors.As(err, &limit) {
		return errors.Join(in.settle(ctx, true), supervise.Uncounted(err))
	}
	if in.retriesHere() {
		return in.retryHere(ctx, err)
	}
	in.traceUndone(err)
	if err := in.settle(ctx, true); err != nil {
		return err
	}
	if err = in.record(err); isFatal(err) {
		return in.escalate(err)
	}
	if err == nil {
		return in.goBack(ctx)
	}
	return err
}

// record counts a failure of the call at hand. nil: it was the last one, and
// the stage can go on at once; else the fault that this life ends with.
func (in *session) record(err error) error {
	c := in.call
	if c.count > 1 && isRejected(err) && supervise.ReasonOf(err) != supervise.Panic {
		c.input.suspect, c.input.cleared = c.offset, c.offset+uint64(c.count)
		return nil // no failure: it says that one of the messages is refused, and not which
	}
	in.note(err)
	in.call.input = nil
	switch {
	case c.input == nil:
		if err := in.countCall(c.unit, err); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", named(c.unit), err)
	case c.count > 1:
		c.input.suspect, c.input.cleared = c.offset, c.offset+uint64(c.count)
		return supervise.Uncounted(fmt.Errorf("a batch of %s: %w", c.name(), err))
	}
	f, unsaved := in.countMessage(&c, err)
	if unsaved != nil {
		return unsaved
	}
	if f.Final && !in.fault.recovery.isSet() {
		return nil
	}
	return in.messageFault(f, err)
}

// messageFault is the fault of a message. As long as its attempts bound how
// often it comes, no restart limit counts it.
func (in *session) messageFault(f *failure, err error) error {
	limit := in.definition.options.attempts
	if limit == Unlimited {
		return fmt.Errorf("message %s, attempt %d: %w", f.Unit, f.Count, err)
	}
	return supervise.Uncounted(fmt.Errorf("message %s, attempt %d of %d: %w", f.Unit, f.Count, limit, err))
}

func isFatal(err error) bool {
	var f *fatal
	return errors.As(err, &f) || supervise.IsFatal(err) || errors.Is(err, channel.ErrStreamLost)
}

func (in *session) escalate(err error) error {
	if supervise.IsFatal(err) {
		return err
	}
	return supervise.Fatal(err)
}

// afterFault makes up, at a start, for what the life before left undone: a
// call that did not return.
func (in *session) afterFault() error {
	if call := in.fault.overdue.Swap(nil); call != nil {
		if err := in.recordOverdue(call); isFatal(err) {
			return in.escalate(err)
		}
	}
	verdict := in.fault.recovery.verdict()
	if verdict == nil || !verdict.drop || verdict.fault.message == nil {
		return nil
	}
	if f := in.failures.of(place{verdict.fault.message.Stream, verdict.fault.message.Offset}); f != nil {
		f.Final, f.Drop = true, true
		if err := in.saveFailure(f, in.keepNote); err != nil {
			return in.escalate(err)
		}
	}
	return nil
}

// recordOverdue counts a call that was longer under way than it may. Its
// message may have been committed after all, when it returned in between.
func (in *session) recordOverdue(c *watchedCall) error {
	in.calledOut(false)
	err := &DeadlineError{Stage: in.definition.name, Call: in.callName(c), Deadline: in.code.watch.deadline}
	if c.unit == stopUnit || c.unit == handlerUnit { // what they belong to is over
		return nil
	}
	if c.unit != "" {
		in.call = in.unitCall(c.unit)
		if c.unit == commitUnit {
			in.failures.checking = batchCalls // the codec hangs at a state that one of them leaves
		}
		return in.record(err)
	}
	i := in.input(in.inputDefinition(c.input).stream.String())
	if i.committed.Consumed(c.offset) {
		return nil
	}
	in.call = call{input: i, offset: c.offset, count: c.batched, key: c.key}
	return in.record(err)
}
