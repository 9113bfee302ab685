package task

import (
	"sync"

	"penstock/engine/internal/waits"
)

// lettersWait is the name of a stage's wait for its dead letters: it lasts from
// the first letter under way to the last, also of a task that was abandoned.
// Safe for concurrent use.
type lettersWait struct {
	mu    sync.Mutex
	count int
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
	if l.count--; l.count == 0 {
		w.End(waits.Letters)
	}
}
