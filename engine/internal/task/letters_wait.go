package task

import (
	"sync"

	"penstock/dlq"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/waits"
)

// lettersWait is the name of a stage's wait for its dead letters: it lasts from
// the first letter under way to the last, also of a task that was abandoned.
// Safe for concurrent use.
type lettersWait struct {
	mu        sync.Mutex
	count     int
	isRefused bool // for want of a right
}

const keepingLetters = "dead letters are being stored"

// begin is called before a letter goes on its way.
func (l *lettersWait) begin(w *waits.Set) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count++; l.count == 1 {
		w.Begin(waits.Letters, keepingLetters)
	}
}

// end is called when a letter is kept, or is not going to be.
func (l *lettersWait) end(w *waits.Set) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count--
	if l.isRefused && l.count > 0 {
		w.Begin(waits.Letters, keepingLetters)
	}
	if l.isRefused {
		w.End(waits.Permission)
	}
	l.isRefused = false
	if l.count == 0 {
		w.End(waits.Letters)
	}
}

// failed names the wait by what keeps a letter that is under way from being stored.
func (l *lettersWait) failed(w *waits.Set, cause error, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kind, other := waitFor(cause, waits.Letters), waits.Permission
	if l.isRefused = kind == waits.Permission; l.isRefused {
		other = waits.Letters
	}
	if l.count > 0 {
		w.Begin(kind, detail)
		w.End(other)
	}
}

// LetterWaits is told that a letter could not be stored, and is tried again.
func (r *Run) LetterWaits(l dlq.Letter, cause error) {
	if in := r.InstanceOf(plan.InstanceID{Stage: l.Stage, Number: l.Instance}); in != nil {
		in.Waiting.keeping.failed(&in.Waiting.waits, cause, r.Explain(cause))
	}
}
