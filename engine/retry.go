package engine

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
func (t *task) retriesHere() bool {
	c, o := &t.call, t.definition.Options
	i := c.input
	switch {
	case o.AttemptDelay == nil || o.Attempts == plan.Unlimited:
		return false
	case i == nil || c.count > 1 || !i.hasHead || i.head.offset != c.offset:
		return false
	}
	return !t.run.quarantine.isOn() && !t.fault.recovery.isSet()
}

// retryHere counts the failure. The message comes again when it is due, or is
// diverted next.
func (t *task) retryHere(ctx context.Context, err error) error {
	f, unsaved := t.countTry(&t.call, err)
	if unsaved == nil {
		f.passed = t.usedUp(f) && (f.Final || t.definition.Options.AtLimit == plan.DeadLetter) // its letter comes next
		unsaved = t.saveFailure(f, t.jot)
	}
	if unsaved != nil {
		return t.escalate(unsaved)
	}
	t.traceFailed(err)
	f.here = t.undo()
	t.batch.undo()
	t.call = call{}
	t.setDue(f)
	t.run.tell(supervise.Event{
		Child: t.definition.Name, Kind: supervise.Failed, Reason: supervise.ReasonOf(err), Err: t.messageFault(f, err), Detail: noRestart,
	})
	switch {
	case f.here:
		return nil
	case t.clean():
		return t.goBack(ctx)
	}
	return t.fail(ctx, errRewind)
}

// jot keeps the record of a message that is tried again at once: it outlives the
// process, and after a cut of the power the attempts begin anew.
func (t *task) jot(name string, data []byte) error {
	return t.run.space.persist(func() error { return t.committed.Store.PutNoteUnsynced(name, data) })
}

// mustWait says whether the head of an input is there and may not be called
// yet.
func (t *task) mustWait(i *input, now time.Time) bool {
	return i.waits(now) || t.isDelayed(i, now)
}

// isDelayed says that the head has failed and its next attempt is not due.
func (t *task) isDelayed(i *input, now time.Time) bool {
	f := t.failureOf(i)
	return f != nil && f.due.After(now) && !t.run.quarantine.isOn()
}
