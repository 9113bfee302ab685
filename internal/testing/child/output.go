package child

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits: much longer than it takes on a busy machine.
const patience = 3 * time.Minute

// Output keeps what is written to it, and can be waited for. Safe for concurrent use.
type Output struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed and replaced when something is written
}

var _ io.Writer = (*Output)(nil)

// NewOutput returns one that is empty.
func NewOutput() *Output { return &Output{changed: make(chan struct{})} }

func (o *Output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(data)
	close(o.changed)
	o.changed = make(chan struct{})
	return len(data), nil
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Await waits until the output has a text, and AwaitCount until it has it so many times.
func (o *Output) Await(t testing.TB, text string) {
	t.Helper()
	o.AwaitCount(t, text, 1)
}

func (o *Output) AwaitCount(t testing.TB, text string, times int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		o.mu.Lock()
		found, changed := strings.Count(o.text.String(), text), o.changed
		o.mu.Unlock()
		if found >= times {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%q was said %d times, not %d:\n%s", text, found, times, o)
		}
	}
}
