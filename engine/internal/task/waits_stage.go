package task

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"penstock/engine/observe"
)

// noteWaits names what the loop is about to wait for, besides messages.
func (t *Task) noteWaits(pending, fits bool) {
	w := &t.Waiting.waits
	w.note(waitCommit, t.Txn != nil, "no answer yet")
	t.noteSpace()
	w.note(waitBreaker, t.isOpen(), "the circuit breaker is open")
	if t.Txn != nil {
		return // whether there is room is asked when it is there
	}
	full := pending && !fits
	if full {
		if taken := t.takenByReaders(); taken != t.roomAt {
			w.end(waitRoom) // there was some
			t.roomAt = taken
		}
	}
	w.note(waitRoom, full, "")
	for k, i := range t.Inbox.Inputs[:len(t.Waiting.Heads)] {
		t.Waiting.reading[k].note(waitAttempt, len(i.waiting) > 0 || t.isHeadDelayed(i), "messages wait for their next attempt")
	}
}

// noteTrouble names the wait of a reader that has no consumer.
func (t *Task) noteTrouble(w *waits, err error) {
	if err == nil {
		w.end(waitReader)
		w.end(waitPermission)
		return
	}
	w.begin(waitFor(err, waitReader), t.Run.Explain(err))
}

// isHeadDelayed says that the next message of an input has failed, and that it
// is too early to try it again.
func (t *Task) isHeadDelayed(i *Input) bool {
	if len(t.Failures.Records) == 0 || !i.hasHead {
		return false
	}
	f := t.failureOf(i)
	return f != nil && f.Due.After(t.Looked)
}

// awaitQuarantine returns when a source may be called again after a death of the
// process.
func (t *Task) awaitQuarantine(ctx context.Context) error {
	select {
	case <-t.Run.Quarantine.Over():
		return nil
	default:
	}
	t.Waiting.waits.begin(waitTurn, "quarantine mode: messages that may have killed the process are tried first")
	defer t.Waiting.waits.end(waitTurn)
	select {
	case <-t.Run.Quarantine.Over():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note begins or ends a wait.
func (w *waits) note(kind waitKind, waits bool, detail string) {
	if waits {
		w.begin(kind, detail)
	} else {
		w.end(kind)
	}
}

// endWaits ends those of a life of the stage.
func (t *Task) endWaits() {
	if t.Code.Guard.Abandoned() {
		return // the next one has its own
	}
	for kind := range waitKinds {
		if kind != waitLetters { // those end with the last letter
			t.Waiting.waits.end(kind)
		}
	}
	for k := range t.Waiting.Heads {
		t.Waiting.reading[k].end(waitHeld)
		t.Waiting.reading[k].end(waitAttempt)
	}
}

// inCode notes since when the user's code is in one call, or a stage's loop in
// one round of calls, which is short unless a call is long. Entering and leaving
// belong to one goroutine; who asks finds out when it asks a second time.
type inCode struct {
	count atomic.Uint64 // odd inside

	mu    sync.Mutex
	seen  uint64
	since time.Time
}

func (c *inCode) enter() { c.count.Store((c.count.Load() + 1) | 1) }

func (c *inCode) leave() { c.count.Store((c.count.Load() + 1) &^ 1) }

// wait is for the function, if it was under way already when it was asked last.
func (c *inCode) wait(now time.Time, detail string) (currentWait, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := c.count.Load()
	if count != c.seen || c.since.IsZero() {
		c.seen, c.since = count, now
	}
	lasts := now.Sub(c.since)
	if count%2 == 0 || lasts < waitShown {
		return currentWait{}, false
	}
	return currentWait{kind: waitFunction, Wait: observe.Wait{For: waitFunction.String(), Detail: detail, Since: c.since, Seconds: lasts.Seconds()}}, true
}

// functionWaits are those for the stage's own functions.
func (in *Instance) functionWaits(now time.Time) (list []currentWait) {
	if wait, ok := in.Waiting.feeding.wait(now, "the function of its source"); ok {
		list = append(list, wait)
	}
	if wait, ok := in.Waiting.calling.wait(now, "a call that has not returned"); ok {
		list = append(list, wait)
	}
	return list
}
