package checkpointer

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"penstock/engine/internal/logsample"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/waits"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// told is a checkpointer, its waits, and what both write.
type told struct {
	ports.RealTime
	at    time.Time
	log   bytes.Buffer
	waits waits.Set
	*Checkpointer
}

func (x *told) Now() time.Time { return x.at }

// explained is a pipeline that names its remedies in words of its own.
type explained struct {
	Pipeline
	words remedy.Words
}

func (p explained) Explain(err error) string { return remedy.Explain(err, p.words) }

func newTold(words remedy.Words) *told {
	x := &told{at: time.Unix(1e9, 0)}
	x.waits.Clock = x
	x.Checkpointer = &Checkpointer{
		Pipeline: explained{words: words}, Interval: time.Second, Lines: &logsample.Sampler{},
		Log: slog.New(slog.NewTextHandler(&x.log, nil)),
	}
	return x
}

func (x *told) try(t *testing.T, err error) { x.tried(t.Context(), &x.waits, err) }

// A checkpoint that fails each second for half an hour has its first line, those
// of the wait, which become fewer, and one at the end.
func TestCheckpointsThatFailAreToldOnceAndThenAsAWait(t *testing.T) {
	t.Parallel()
	x := newTold(nil)
	w := waits.NewWatch(func(supervise.Event) {})
	second := func() {
		w.Look(x.at, waits.Waiter{Log: x.Log, Waits: x.waits.List(x.at, 0)})
		x.at = x.at.Add(time.Second)
	}
	for n := range 30 * 60 {
		x.try(t, fmt.Errorf("write table %d: input/output error", n))
		second()
	}
	count := func(part string) int { return strings.Count(x.log.String(), part) }
	if n := count("a checkpoint failed; trying again"); n != 1 || count("level=ERROR") > 0 || !strings.Contains(x.log.String(), "no channel is trimmed") {
		t.Errorf("%d lines of a failed checkpoint: %s", n, &x.log)
	}
	if n := count(`msg="the pipeline waits" for=checkpoint`); n < 3 || n > 12 {
		t.Errorf("%d lines of the wait: %s", n, &x.log)
	}
	if list := x.waits.List(x.at, 0); len(list) != 1 || !list[0].Overdue || !strings.Contains(list[0].Detail, "input/output error") {
		t.Errorf("the waits are %+v", list)
	}
	x.try(t, nil)
	second()
	second()
	if count(`level=INFO msg="checkpoints are written again" after=30m0s failed=1800`) != 1 || count("level=INFO") != 1 {
		t.Errorf("the end is not told of once: %s", &x.log)
	}
	x.try(t, nil)
	x.try(t, errors.New("write table 3: input/output error"))
	if count("a checkpoint failed; trying again") != 2 {
		t.Errorf("the next trouble is not told of: %s", &x.log)
	}
}

// What fails and works in turn does not fill the log either.
func TestCheckpointsThatFailInTurnAreSampled(t *testing.T) {
	t.Parallel()
	x := newTold(nil)
	for range 50 {
		x.try(t, errors.New("no answer"))
		x.try(t, nil)
		x.at = x.at.Add(time.Second)
	}
	if n := strings.Count(x.log.String(), "\n"); n != 2*logsample.First {
		t.Errorf("%d lines: %s", n, &x.log)
	}
}

// A wait for a checkpoint names remedies as the program does.
func TestACheckpointThatFailsIsToldInTheWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	x := newTold(func(remedy.Remedy) string { return "--fresh" })
	x.try(t, fmt.Errorf("write: %w", remedy.Errorf("damaged: start over with %v", remedy.Fresh)))
	if list := x.waits.List(x.at.Add(time.Hour), 0); len(list) != 1 || list[0].Detail != "write: damaged: start over with --fresh" {
		t.Errorf("the waits are %+v", list)
	}
}
