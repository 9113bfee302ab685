package task

import (
	"sync/atomic"
	"time"
)

// noteHeld names the wait of a message that was answered with Hold or Snooze.
func (t *Task) noteHeld(k int, i *Input) {
	held := i.hasHead && i.waits(t.Looked)
	head, w := &t.Waiting.Heads[k], &t.Waiting.reading[k]
	if held && head.isAnother(i) {
		w.end(waitHeld)
	}
	head.Held.Store(held)
	w.note(waitHeld, held && !t.inputIsAway(i), "")
}

// isAnother reports whether the input waits with another message than before, or with the same one after another
// Snooze. It remembers that message.
func (h *head) isAnother(i *Input) bool {
	var until int64
	if !i.held {
		until = i.Until.UnixNano()
	}
	offset := h.offset.Swap(i.head.Offset)
	return h.until.Swap(until) != until || offset != i.head.Offset
}

// explainHeld says which message is held, and until when if that is known.
func (in *Instance) explainHeld(wait *currentWait) {
	k := wait.input - 1
	head := &in.Waiting.Heads[k]
	wait.Detail = "message " + messageUnit(in.Definition.Inputs[k], head.offset.Load())
	if until := head.until.Load(); until != 0 {
		wait.until = time.Unix(0, until)
		wait.Detail += ", snoozed until " + wait.until.Format(time.TimeOnly)
	}
}

// excuses says whether a held message is a good reason for those who wait for the stage. A Snooze is one until it ends:
// the message asked for that. A Snooze that began only when they were overdue is none: a stage that answers with one
// again and again moves nothing.
func (w *currentWait) excuses(overdue, now time.Time) bool {
	return w.Since.Before(overdue) && now.Before(w.until.Add(waitShown))
}

// excuse remembers when a wait last had a good reason. Safe for concurrent use.
type excuse struct{ last atomic.Int64 } // Unix nanoseconds

// covers reports whether a wait is not overdue: it has a good reason now, or had one less than its patience ago, since
// what it waits for needs some time after the reason has ended.
func (e *excuse) covers(isGood bool, now time.Time, patience time.Duration) bool {
	if isGood {
		e.last.Store(now.UnixNano())
	}
	return now.UnixNano()-e.last.Load() <= int64(patience)
}
