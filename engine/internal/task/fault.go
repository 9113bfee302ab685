package task

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// Fail decides what a failure means. nil: go on in this life.
func (t *Task) Fail(ctx context.Context, err error) error {
	if errors.Is(err, errAbandoned) || errors.Is(err, errLettersFull) || errors.Is(err, errStopsWaiting) {
		return err
	}
	if errors.Is(err, errRewind) {
		if err := t.Settle(ctx, true); err != nil {
			return err
		}
		return t.goBack(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if answer.IsUnavailable(err) && (t.call.input != nil || timerOf(t.call.unit) >= 0) {
		return t.undoAway(ctx, err)
	}
	t.calledOut(false)
	t.hasAnswered()
	if IsFatal(err) {
		return t.escalate(err)
	}
	var limit *AtLimitError
	if errors.As(err, &limit) {
		return errors.Join(t.Settle(ctx, true), supervise.Uncounted(err))
	}
	if t.retriesHere() {
		return t.retryHere(ctx, err)
	}
	t.traceUndone(err)
	if err := t.Settle(ctx, true); err != nil {
		return err
	}
	if err = t.record(err); IsFatal(err) {
		return t.escalate(err)
	}
	if err == nil {
		return t.goBack(ctx)
	}
	return err
}

// record counts a failure of the call at hand. nil: it was the last one, and
// the stage can go on at once; else the fault that this life ends with.
func (t *Task) record(err error) error {
	c := t.call
	if c.count > 1 && answer.IsRejected(err) && supervise.ReasonOf(err) != supervise.Panic {
		c.input.suspect, c.input.cleared = c.offset, c.offset+uint64(c.count)
		return nil // no failure: it says that one of the messages is refused, and not which
	}
	fault := t.faultOf(err)
	t.call.input = nil
	switch {
	case c.input == nil:
		if err := t.countCall(c.unit, err); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", toldOf(c.unit), fault)
	case c.count > 1:
		c.input.suspect, c.input.cleared = c.offset, c.offset+uint64(c.count)
		return supervise.Uncounted(fmt.Errorf("a batch of %s: %w", c.name(), fault))
	}
	f, unsaved := t.countMessage(&c, err)
	if unsaved != nil {
		return unsaved
	}
	if f.Final && !t.Fault.Recovery.isSet() {
		return nil
	}
	return t.messageFault(f, fault)
}

// messageFault is the fault of a message. As long as its attempts bound how
// often it comes, no restart limit counts it.
func (t *Task) messageFault(f *Failure, err error) error {
	limit := t.Definition.Options.Attempts
	if limit == plan.Unlimited {
		return fmt.Errorf("message %s, attempt %d: %w", t.nameOf(f), f.Count, err)
	}
	last := "" // in a word of its own, so that the log does not leave it out as one of many
	if f.Count >= limit {
		last = ", the last"
	}
	return supervise.Uncounted(fmt.Errorf("message %s, attempt %d of %d%s: %w", t.nameOf(f), f.Count, limit, last, err))
}

func IsFatal(err error) bool {
	return answer.IsFatal(err) || supervise.IsFatal(err) || errors.Is(err, channel.ErrStreamLost)
}

func (t *Task) escalate(err error) error {
	if supervise.IsFatal(err) {
		return err
	}
	return supervise.Fatal(err)
}

// afterFault makes up, at a start, for what the life before left undone: a
// call that did not return.
func (t *Task) afterFault() error {
	if call := t.Fault.overdue.Swap(nil); call != nil {
		if err := t.recordOverdue(call); IsFatal(err) {
			return t.escalate(err)
		}
	}
	verdict := t.Fault.Recovery.verdict()
	if verdict == nil || !verdict.Drop || verdict.fault.Message == nil {
		return nil
	}
	if f := t.Failures.of(Place{verdict.fault.Message.Stream, verdict.fault.Message.Offset}); f != nil {
		f.Final, f.Drop = true, true
		if err := t.saveFailure(f, t.keepNote); err != nil {
			return t.escalate(err)
		}
	}
	return nil
}

// recordOverdue counts a call that was longer under way than it may. Its
// message may have been committed after all, when it returned in between.
func (t *Task) recordOverdue(c *watchedCall) error {
	t.calledOut(false)
	err := &DeadlineError{Stage: t.Definition.Name, Call: t.callName(c), Deadline: t.Code.watch.deadline}
	if c.unit == stopUnit || c.unit == handlerUnit { // what they belong to is over
		return nil
	}
	if c.unit != "" {
		t.call = t.unitCall(c.unit)
		if c.unit == commitUnit {
			t.Failures.checking = batchCalls // the codec hangs at a state that one of them leaves
		}
		return t.record(err)
	}
	edge := t.edge(c.input)
	i := t.Input(edge.String())
	if i.Committed.Consumed(c.offset) {
		return nil
	}
	t.call = call{input: i, offset: c.offset, count: c.batched, Key: c.key}
	return t.record(err)
}
