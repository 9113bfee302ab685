package task

import (
	"context"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// A message that fails need not cost a restart. With AttemptDelay its call is
// undone, and it is tried again while the stage goes on; others before and
// behind it stay in one commit with it, if its call alone can be undone. So a
// backlog with many poison messages goes through nearly as fast as one without.

// retriesHere says whether the message that failed is tried again in this life.
func (t *Task) retriesHere() bool {
	c, o := &t.call, t.Definition.Options
	i := c.input
	switch {
	case o.AttemptDelay == nil || o.Attempts == plan.Unlimited:
		return false
	case i == nil || c.count > 1 || !i.hasHead || i.head.Offset != c.offset:
		return false
	}
	return !t.Run.Quarantine.IsOn() && !t.Fault.Recovery.isSet()
}

// retryHere counts the failure. The message comes again when it is due, or is
// diverted next.
func (t *Task) retryHere(ctx context.Context, err error) error {
	f, unsaved := t.countTry(&t.call, err)
	if unsaved == nil {
		f.passed = t.usedUp(f) && (f.Final || t.Definition.Options.AtLimit == plan.DeadLetter) // its letter comes next
		unsaved = t.saveFailure(f, t.jot)
	}
	if unsaved != nil {
		return t.escalate(unsaved)
	}
	t.traceFailed(err)
	f.here = t.undo()
	t.Batch.undo()
	t.call = call{}
	t.setDue(f)
	t.Run.tell(supervise.Event{
		Child: t.Definition.Name, Kind: supervise.Failed, Reason: supervise.ReasonOf(err), Err: t.messageFault(f, err), Detail: noRestart,
	})
	switch {
	case f.here:
		return nil
	case t.clean():
		return t.goBack(ctx)
	}
	return t.Fail(ctx, errRewind)
}

// jot keeps the record of a message that is tried again at once: it outlives the
// process, and after a cut of the power the attempts begin anew.
func (t *Task) jot(name string, data []byte) error {
	return t.Run.Space.Persist(func() error { return t.Committed.Store.PutNoteUnsynced(name, data) })
}

// mustWait says whether the head of an input is there and may not be called
// yet.
func (t *Task) mustWait(i *Input, now time.Time) bool {
	return i.waits(now) || t.isDelayed(i, now)
}

// isDelayed says that the head has failed and its next attempt is not due.
func (t *Task) isDelayed(i *Input, now time.Time) bool {
	f := t.failureOf(i)
	return f != nil && f.Due.After(now) && !t.Run.Quarantine.IsOn()
}
