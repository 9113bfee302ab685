package engine

import (
	"context"
	"time"

	"penstock/engine/supervise"
)

// A message that fails need not cost a restart. With AttemptDelay its call is
// undone, and it is tried again while the stage goes on; others before and
// behind it stay in one commit with it, if its call alone can be undone. So a
// backlog with many poison messages goes through nearly as fast as one without.

// retriesHere says whether the message that failed is tried again in this life.
func (in *session) retriesHere() bool {
	c, o := &in.call, in.definition.options
	i := c.input
	switch {
	case o.attemptDelay == nil || o.attempts == Unlimited:
		return false
	case i == nil || c.count > 1 || !i.hasHead || i.head.offset != c.offset:
		return false
	}
	return !in.run.careful.isOn() && !in.fault.recovery.isSet()
}

// retryHere counts the failure. The message comes again when it is due, or is
// diverted next.
func (in *session) retryHere(ctx context.Context, err error) error {
	f, unsaved := in.countTry(&in.call, err)
	if unsaved == nil {
		f.passed = in.usedUp(f) && (f.Final || in.definition.options.atLimit == DeadLetter) // its letter comes next
		unsaved = in.saveFailure(f, in.jot)
	}
	if unsaved != nil {
		return in.escalate(unsaved)
	}
	in.traceFailed(err)
	f.here = in.undo()
	in.batch.undo()
	in.call = call{}
	in.setDue(f)
	in.run.tell(supervise.Event{
		Child: in.definition.name, Kind: supervise.Failed, Reason: supervise.ReasonOf(err), Err: in.messageFault(f, err), Detail: noRestart,
	})
	switch {
	case f.here:
		return nil
	case in.clean():
		return in.goBack(ctx)
	}
	return in.fail(ctx, errRewind)
}

// jot keeps the record of a message that is tried again at once: it outlives the
// process, and after a cut of the power the attempts begin anew.
func (in *session) jot(name string, data []byte) error {
	return in.run.space.persist(func() error { return in.committed.Store.PutNoteUnsynced(name, data) })
}

// mustWait says whether the head of an input is there and may not be called
// yet.
func (in *session) mustWait(i *input, now time.Time) bool {
	return i.waits(now) || in.isDelayed(i, now)
}

// isDelayed says that the head has failed and its next attempt is not due.
func (in *session) isDelayed(i *input, now time.Time) bool {
	f := in.failureOf(i)
	return f != nil && f.due.After(now) && !in.run.careful.isOn()
}
