package task

import (
	"time"

	"penstock/engine/internal/waits"
)

// noteHeld names the wait of a message that was answered with Hold or Snooze.
func (t *Task) noteHeld(k int, i *Input) {
	held := i.hasHead && i.waits(t.Looked)
	head, w := &t.Waiting.Heads[k], &t.Waiting.reading[k]
	if held && head.isAnother(i) {
		w.End(waits.Held)
	}
	head.Held.Store(held)
	w.Note(waits.Held, held && !t.inputIsAway(i), "")
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
func (in *Instance) explainHeld(wait *waits.Wait) {
	k := wait.Input - 1
	head := &in.Waiting.Heads[k]
	wait.Detail = "message " + in.Edges[k].Message(head.offset.Load())
	if until := head.until.Load(); until != 0 {
		wait.Until = time.Unix(0, until)
		wait.Detail += ", snoozed until " + wait.Until.Format(time.TimeOnly)
	}
}
