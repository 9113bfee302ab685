package task

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/waits"
)

// lockWatch is a log whose handler sees whether a lock is held while it writes.
type lockWatch struct {
	slog.Handler
	mu    *sync.Mutex
	lines int
	held  []string
}

func (w *lockWatch) Handle(_ context.Context, r slog.Record) error {
	w.lines++
	if !w.mu.TryLock() {
		w.held = append(w.held, r.Message)
		return nil
	}
	w.mu.Unlock()
	return nil
}

func (w *lockWatch) WithAttrs([]slog.Attr) slog.Handler { return w }

// What is logged of an outage is not written under its lock: a source's function
// and the loop would wait for the handler.
func TestOutagesAreLoggedWithoutTheLock(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	in := &Task{Instance: &Instance{Run: &Run{Clock: clock}, Definition: &plan.Stage{Name: "stage"}, Waiting: waitingFor{waits: waits.Set{Clock: clock}}}}
	watch := &lockWatch{Handler: slog.NewTextHandler(&strings.Builder{}, nil), mu: &in.outages.mu}
	in.Log = slog.New(watch)
	in.isAway("input a", "message a:1", errors.New("no route"))
	in.isAway("input b", "message b:1", errors.New("no route"))
	in.isBack("input a")
	in.isBack("input b")
	if watch.lines != 4 || len(watch.held) > 0 {
		t.Errorf("%d lines; under the lock: %q", watch.lines, watch.held)
	}
	if list := in.Waiting.waits.List(clock.at.Add(time.Hour), 0); len(list) > 0 {
		t.Errorf("the stage waits for %+v", list)
	}
}
