package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// noteWaits names what the loop is about to wait for, besides messages.
func (in *session) noteWaits(pending, fits bool) {
	w := &in.waiting.waits
	w.note(waitCommit, in.flight != nil, "its answer has not come")
	in.noteSpace()
	w.note(waitBreaker, in.isOpen(), "it lets no call through")
	if in.flight != nil {
		return // whether there is room is asked when it is there
	}
	full := pending && !fits
	if full {
		if taken := in.takenByReaders(); taken != in.roomAt {
			w.end(waitRoom) // there was some
			in.roomAt = taken
		}
	}
	w.note(waitRoom, full, "")
	for k, i := range in.inbox.inputs[:len(in.waiting.heads)] {
		in.waiting.reading[k].note(waitAttempt, len(i.waiting) > 0 || in.isHeadDelayed(i), "messages wait for their next attempt")
	}
}

// noteTrouble names the wait of a reader that has no consumer.
func (in *session) noteTrouble(w *waits, err error) {
	if err == nil {
		w.end(waitReader)
		w.end(waitPermission)
		return
	}
	w.begin(waitFor(err, waitReader), err.Error())
}

// isHeadDelayed says that the next message of an input has failed, and that it
// is too early to try it again.
func (in *session) isHeadDelayed(i *input) bool {
	if len(in.failures.records) == 0 || !i.hasHead {
		return false
	}
	f := in.failureOf(i)
	return f != nil && f.due.After(in.looked)
}

// awaitSpace returns when there is enough space on the disk for a source.
func (in *session) awaitSpace(ctx context.Context) error {
	if in.run.space.level.Load() == spaceEnough {
		return nil
	}
	in.noteSpace()
	defer in.waiting.waits.end(waitDisk)
	return in.run.space.await(ctx)
}

// noteSpace names the wait for the disk, which the loop and a source's function
// may both have.
func (in *session) noteSpace() {
	level, detail := in.run.space.level.Load(), "there is too little for a source"
	if level == spaceFull {
		detail = "the disk is full"
	}
	in.waiting.waits.note(waitDisk, waitsAt(in.definition.kind, level), detail)
}

// awaitCareful returns when a source may be called again after a death of the
// process.
func (in *session) awaitCareful(ctx context.Context) error {
	select {
	case <-in.run.careful.over:
		return nil
	default:
	}
	in.waiting.waits.begin(waitTurn, "the messages that may have killed the process are tried first")
	defer in.waiting.waits.end(waitTurn)
	select {
	case <-in.run.careful.over:
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
func (in *session) endWaits() {
	if in.code.hold.abandoned() {
		return // the next one has its own
	}
	for kind := range waitKinds {
		if kind != waitLetters { // those end with the last letter
			in.waiting.waits.end(kind)
		}
	}
	for k := range in.waiting.heads {
		in.waiting.reading[k].end(waitHeld)
		in.waiting.reading[k].end(waitAttempt)
	}
}

// noteHeld names the wait of a message that was answered with Hold or Snooze.
func (in *session) noteHeld(k int, i *input) {
	held := i.hasHead && i.waits(in.looked)
	head, w := &in.waiting.heads[k], &in.waiting.reading[k]
	if held && head.offset.Swap(i.head.offset) != i.head.offset {
		w.end(waitHeld) // of another message
	}
	head.held.Store(held)
	w.note(waitHeld, held && !in.inputIsAway(i), "")
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
func (c *inCode) wait(now time.Time, detail string) (Wait, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := c.count.Load()
	if count != c.seen || c.since.IsZero() {
		c.seen, c.since = count, now
	}
	lasts := now.Sub(c.since)
	if count%2 == 0 || lasts < waitShown {
		return Wait{}, false
	}
	return Wait{kind: waitFunction, For: waitFunction.String(), Detail: detail, Since: c.since, Seconds: lasts.Seconds()}, true
}

// functionWaits are those for the stage's own functions.
func (in *instance) functionWaits(now time.Time) (list []Wait) {
	if wait, ok := in.waiting.feeding.wait(now, "its source's function"); ok {
		list = append(list, wait)
	}
	if wait, ok := in.waiting.calling.wait(now, "a call that has not returned"); ok {
		list = append(list, wait)
	}
	return list
}
