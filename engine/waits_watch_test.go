package engine

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"penstock/engine/supervise"
)

func TestOverdueWaitIsToldOnceAndLoggedAgain(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	var log bytes.Buffer
	var events []supervise.Event
	r := &run{
		pipeline: New("told"), clock: clock, log: slog.New(slog.NewTextHandler(&log, nil)),
		config: Config{OnEvent: func(e supervise.Event) { events = append(events, e) }},
	}
	w := &waitWatch{run: r, told: map[waitPlace]*toldWait{}}
	r.waits.clock = clock
	look := func(d time.Duration) {
		for end := clock.at.Add(d); clock.at.Before(end); clock.advance(waitLook) {
			w.look(clock.at)
		}
	}
	r.waits.begin(waitBroker, "nats://far")
	look(10 * time.Second)
	if len(events) != 0 || log.Len() != 0 {
		t.Fatalf("told too early: %v %s", events, &log)
	}
	look(time.Hour)
	if len(events) != 1 || events[0].Kind != supervise.WaitsLong || !strings.Contains(events[0].Detail, "broker (nats://far) since") {
		t.Errorf("the events are %+v", events)
	}
	if lines := strings.Count(log.String(), "the pipeline waits"); lines < 12 || lines > 16 {
		t.Errorf("%d lines in an hour: %s", lines, &log)
	}
	r.waits.end(waitBroker)
	look(10 * time.Second)
	if len(events) != 2 || events[1].Kind != supervise.WaitEnded {
		t.Errorf("the events are %+v", events)
	}
	if !strings.Contains(log.String(), `level=INFO msg="the wait of the pipeline is over" for=broker`) {
		t.Errorf("the end is not in the log: %s", &log)
	}
}
