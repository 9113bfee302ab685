package task

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"penstock/engine/supervise"
)

// A checkpoint that fails each second for half an hour has its first line, those
// of the wait, which become fewer, and one at the end.
func TestCheckpointsThatFailAreToldOnceAndThenAsAWait(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	clock := &handClock{at: time.Unix(1e9, 0)}
	r, look := watched(clock, &log, func(supervise.Event) {})
	c := &Checkpointer{Log: r.Log, Interval: time.Second, Instances: []*Instance{{Run: r}}}
	for n := range 30 * 60 {
		c.tried(t.Context(), &r.Waits, fmt.Errorf("write table %d: input/output error", n))
		look(time.Second)
	}
	count := func(part string) int { return strings.Count(log.String(), part) }
	if n := count("a checkpoint failed; trying again"); n != 1 || count("level=ERROR") > 0 || !strings.Contains(log.String(), "no channel is trimmed") {
		t.Errorf("%d lines of a failed checkpoint: %s", n, &log)
	}
	if n := count(`msg="the pipeline waits" for=checkpoint`); n < 3 || n > 12 {
		t.Errorf("%d lines of the wait: %s", n, &log)
	}
	if list := r.Waits.List(clock.at, 0); len(list) != 1 || !list[0].Overdue || !strings.Contains(list[0].Detail, "input/output error") {
		t.Errorf("the waits are %+v", list)
	}
	c.tried(t.Context(), &r.Waits, nil)
	look(2 * time.Second)
	if count(`level=INFO msg="checkpoints are written again" after=30m0s failed=1800`) != 1 || count("level=INFO") != 1 {
		t.Errorf("the end is not told of once: %s", &log)
	}
	c.tried(t.Context(), &r.Waits, nil)
	c.tried(t.Context(), &r.Waits, errors.New("write table 3: input/output error"))
	if count("a checkpoint failed; trying again") != 2 {
		t.Errorf("the next trouble is not told of: %s", &log)
	}
}

// What fails and works in turn does not fill the log either.
func TestCheckpointsThatFailInTurnAreSampled(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	clock := &handClock{at: time.Unix(1e9, 0)}
	r, _ := watched(clock, &log, nil)
	c := &Checkpointer{Log: r.Log, Instances: []*Instance{{Run: r}}}
	for range 50 {
		c.tried(t.Context(), &r.Waits, errors.New("no answer"))
		c.tried(t.Context(), &r.Waits, nil)
		clock.advance(time.Second)
	}
	if n := strings.Count(log.String(), "\n"); n != 2*sampleFirst {
		t.Errorf("%d lines: %s", n, &log)
	}
}
