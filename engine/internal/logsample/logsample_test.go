package logsample

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

func sampledLog() (*slog.Logger, *strings.Builder) {
	text := &strings.Builder{}
	return slog.New(slog.NewTextHandler(text, nil)), text
}

// However many lines of a kind there are, a few are written, and the rest is
// counted: when the period is over, and when all is.
func TestLinesOfAKindAreSampled(t *testing.T) {
	t.Parallel()
	log, text := sampledLog()
	var s Sampler
	start := time.Unix(1000, 0)
	kind := Kind{"stage", "a message became a dead letter", "rejected"}
	for k := range 10_000 {
		s.Write(log, slog.LevelWarn, kind, start.Add(time.Duration(k)*time.Millisecond), "message", k)
	}
	if n := strings.Count(text.String(), "a message became a dead letter"); n != First {
		t.Errorf("%d lines", n)
	}
	other := kind
	other.About = "error"
	s.Write(log, slog.LevelWarn, other, start.Add(time.Second), "message", "another")
	if !strings.Contains(text.String(), "another") {
		t.Error("the first line of another kind is hidden")
	}
	s.Flush(start.Add(period), false)
	if !strings.Contains(text.String(), fmt.Sprintf("count=%d", 10_000-First)) {
		t.Errorf("what was left out is not counted:\n%s", text)
	}
	s.Write(log, slog.LevelWarn, kind, start.Add(2*period), "message", "later")
	if !strings.Contains(text.String(), "later") {
		t.Error("nothing is written in the next period")
	}
}

// Memory is bounded, whatever the kinds are.
func TestKindsOfLinesAreBounded(t *testing.T) {
	t.Parallel()
	log, text := sampledLog()
	var s Sampler
	now := time.Unix(1000, 0)
	for k := range 10 * mostKinds {
		s.Write(log, slog.LevelWarn, Kind{"stage", "line", fmt.Sprint("kind ", k)}, now)
	}
	if len(s.kinds) > mostKinds+1 {
		t.Errorf("%d kinds are kept", len(s.kinds))
	}
	if n := strings.Count(text.String(), "msg=line"); n != mostKinds+First {
		t.Errorf("%d lines", n)
	}
	s.Flush(now, true)
	if !strings.Contains(text.String(), fmt.Sprintf("kind=other count=%d", 9*mostKinds-First)) {
		t.Errorf("what was left out is not counted")
	}
}

func TestAlike(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`parse "12x4": invalid syntax`:    `parse …: invalid syntax`,
		"order 4711 of 2026-11-28 is bad": "order # of #-#-# is bad",
		"plain":                           "plain",
	} {
		if got := Alike(text); got != want {
			t.Errorf("%q is like %q", text, got)
		}
	}
	if Alike(strings.Repeat("long ", 100)) == Alike(strings.Repeat("other ", 100)) {
		t.Error("different texts are alike")
	}
}

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

// None of the lines is written under the lock, which would hold up other stages
// as long as the handler takes.
func TestSampledLinesAreWrittenWithoutTheLock(t *testing.T) {
	t.Parallel()
	var s Sampler
	watch := &lockWatch{Handler: slog.NewTextHandler(&strings.Builder{}, nil), mu: &s.mu}
	log := slog.New(watch)
	start, kind := time.Unix(1000, 0), Kind{"stage", "line", "kind"}
	for range First + 1 {
		s.Write(log, slog.LevelWarn, kind, start)
	}
	s.Write(log, slog.LevelWarn, kind, start.Add(period)) // and one about that which was left out
	for range First + 1 {
		s.Write(log, slog.LevelWarn, kind, start.Add(period))
	}
	s.Flush(start, true)
	if want := First + 1 + 1 + First - 1 + 1; watch.lines != want || len(watch.held) > 0 {
		t.Errorf("%d lines, not %d; under the lock: %q", watch.lines, want, watch.held)
	}
}
