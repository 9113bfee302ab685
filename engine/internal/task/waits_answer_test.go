package task

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"penstock/engine/internal/memory"
)

// A wait for an answer begins with the first question, and is overdue as soon as
// it is known.
func TestAServerThatDoesNotAnswerMakesARunNotReady(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	r, _ := watched(clock, new(bytes.Buffer), nil)
	since := clock.at
	clock.advance(3100 * time.Millisecond)
	r.noteAnswers(hangs{since: since})
	list := r.Waits.List(clock.at, 0)
	if len(list) != 1 || list[0].For != "server" || !list[0].Overdue || list[0].Readiness != "not ready" || !list[0].Since.Equal(since) {
		t.Fatalf("the waits are %+v", list)
	}
	if !strings.Contains(list[0].Detail, "does not answer") {
		t.Errorf("the detail is %q", list[0].Detail)
	}
	r.noteAnswers(hangs{})
	if list := r.Waits.List(clock.at, 0); len(list) != 0 {
		t.Errorf("after the answer the waits are %+v", list)
	}
}

type hangs struct {
	memory.Host
	since time.Time
}

func (h hangs) Unanswered() (time.Time, bool) { return h.since, !h.since.IsZero() }
