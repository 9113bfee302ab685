package task

import (
	"context"
	"time"

	"penstock/engine/internal/waits"
)

// noteWaits names what the loop is about to wait for, besides messages.
func (t *Task) noteWaits(pending, fits bool) {
	w := &t.Waiting.waits
	w.Note(waits.Commit, t.Txn != nil, "no answer yet")
	t.noteSpace()
	w.Note(waits.Breaker, t.isOpen(), "the circuit breaker is open")
	if t.Txn != nil {
		return // whether there is room is asked when it is there
	}
	full := pending && !fits
	if full {
		if taken := t.takenByReaders(); taken != t.roomAt {
			w.End(waits.Room) // there was some
			t.roomAt = taken
		}
	}
	w.Note(waits.Room, full, "")
	for k, i := range t.Inbox.Inputs[:len(t.Waiting.Heads)] {
		t.Waiting.reading[k].Note(waits.Attempt, len(i.waiting) > 0 || t.isHeadDelayed(i), "messages wait for their next attempt")
	}
}

// noteTrouble names the wait of a reader that has no consumer.
func (t *Task) noteTrouble(w *waits.Set, err error) {
	if err == nil {
		w.End(waits.Reader)
		w.End(waits.Permission)
		return
	}
	w.Begin(waitFor(err, waits.Reader), t.Run.Explain(err))
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
	t.Waiting.waits.Begin(waits.Turn, "quarantine mode: messages that may have killed the process are tried first")
	defer t.Waiting.waits.End(waits.Turn)
	select {
	case <-t.Run.Quarantine.Over():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// endWaits ends those of a life of the stage.
func (t *Task) endWaits() {
	if t.Code.Custody.Abandoned() {
		return // the next one has its own
	}
	t.Waiting.waits.EndAll(waits.Letters) // those end with the last letter
	for k := range t.Waiting.Heads {
		t.Waiting.reading[k].End(waits.Held)
		t.Waiting.reading[k].End(waits.Attempt)
	}
}

// functionWaits are those for the stage's own functions.
func (in *Instance) functionWaits(now time.Time) (list []waits.Wait) {
	if wait, ok := in.Waiting.feeding.Wait(now, "the function of its source"); ok {
		list = append(list, wait)
	}
	if wait, ok := in.Waiting.calling.Wait(now, "a call that has not returned"); ok {
		list = append(list, wait)
	}
	return list
}

// replayWaits are those of the input that dead letters come back through.
func (in *Instance) replayWaits() *waits.Set { return &in.Waiting.reading[len(in.Edges)] }

// WaitsNow are the waits of the stage, and of its inputs.
func (in *Instance) WaitsNow(now time.Time) []waits.Wait {
	patience := in.Run.Settings.Patience
	list := append(in.Waiting.waits.List(now, patience), in.functionWaits(now)...)
	for k := range in.Waiting.reading {
		for _, wait := range in.Waiting.reading[k].List(now, patience) {
			wait.Input = k + 1
			list = append(list, wait)
		}
	}
	for k := range list {
		in.explain(&list[k], now)
	}
	return waits.WithoutFollowers(list)
}
