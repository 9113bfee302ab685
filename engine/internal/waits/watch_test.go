package waits

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// watched are the waits of a pipeline that a watch looks at for as long as look is told to.
func watched(clock *handClock, log *bytes.Buffer, onEvent func(supervise.Event)) (w *Watch, set *Set, look func(time.Duration)) {
	set, w = &Set{Clock: clock}, NewWatch(onEvent)
	lines := slog.New(slog.NewTextHandler(log, nil))
	return w, set, func(d time.Duration) {
		for end := clock.at.Add(d); clock.at.Before(end); clock.advance(Interval) {
			w.Look(clock.at, Waiter{Log: lines, Waits: set.List(clock.at, 0)})
		}
	}
}

func TestOverdueWaitIsToldOnceAndLoggedAgain(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var events []supervise.Event
	clock := &handClock{at: time.Unix(1e9, 0)}
	_, set, look := watched(clock, &log, func(e supervise.Event) { events = append(events, e) })
	set.Begin(Broker, "nats://far")
	look(10 * time.Second)
	if len(events) != 0 || log.Len() != 0 {
		t.Fatalf("told too early: %v %s", events, &log)
	}
	look(time.Hour)
	if len(events) != 1 || events[0].Kind != observe.WaitsLong || !strings.Contains(events[0].Detail, "broker (nats://far) since") {
		t.Errorf("the events are %+v", events)
	}
	if lines := strings.Count(log.String(), "the pipeline waits"); lines < 12 || lines > 16 {
		t.Errorf("%d lines in an hour: %s", lines, &log)
	}
	set.End(Broker)
	look(10 * time.Second)
	if len(events) != 2 || events[1].Kind != observe.WaitEnded {
		t.Errorf("the events are %+v", events)
	}
	if !strings.Contains(log.String(), `level=INFO msg="the pipeline's wait ended" for=broker`) {
		t.Errorf("the end is not in the log: %s", &log)
	}
}

// An outage of 10 s has a line in between; one that is followed by another before
// it is looked again, or that lasts to the end of the run, ends in the events too.
func TestEachWaitThatIsToldOfEndsInTheEvents(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var kinds []supervise.EventKind
	clock := &handClock{at: time.Unix(1e9, 0)}
	w, set, look := watched(clock, &log, func(e supervise.Event) { kinds = append(kinds, e.Kind) })
	set.Begin(Unavailable, "source: away")
	look(11 * time.Second)
	if lines := strings.Count(log.String(), "the pipeline waits"); lines != 1 {
		t.Errorf("%d lines between the first and the last, want 1: %s", lines, &log)
	}
	set.End(Unavailable)
	set.Begin(Unavailable, "source: away")
	clock.advance(2 * time.Second) // nothing looks meanwhile
	look(2 * time.Second)
	w.End(clock.at)
	want := []supervise.EventKind{observe.WaitsLong, observe.WaitEnded, observe.WaitsLong, observe.WaitEnded}
	if !slices.Equal(kinds, want) {
		t.Errorf("the events are %v, want %v", kinds, want)
	}
}
