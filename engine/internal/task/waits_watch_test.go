package task

import (
	"bytes"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// watched is a run whose waits are watched, for as long as look is told to.
func watched(clock *handClock, log *bytes.Buffer, onEvent func(supervise.Event)) (w *waitWatch, look func(time.Duration)) {
	r := New(plan.New("told"), nil, clock, slog.New(slog.NewTextHandler(log, nil)), Settings{OnEvent: onEvent})
	r.Waits.clock = clock
	w = &waitWatch{run: r, told: map[waitPlace]*toldWait{}}
	return w, func(d time.Duration) {
		for end := clock.at.Add(d); clock.at.Before(end); clock.advance(waitLook) {
			w.look(clock.at)
		}
	}
}

func TestOverdueWaitIsToldOnceAndLoggedAgain(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var events []supervise.Event
	clock := &handClock{at: time.Unix(1e9, 0)}
	w, look := watched(clock, &log, func(e supervise.Event) { events = append(events, e) })
	w.run.Waits.begin(waitBroker, "nats://far")
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
	w.run.Waits.end(waitBroker)
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
	w, look := watched(clock, &log, func(e supervise.Event) { kinds = append(kinds, e.Kind) })
	w.run.Waits.begin(waitUnavailable, "source: away")
	look(11 * time.Second)
	if lines := strings.Count(log.String(), "the pipeline waits"); lines != 1 {
		t.Errorf("%d lines between the first and the last, want 1: %s", lines, &log)
	}
	w.run.Waits.end(waitUnavailable)
	w.run.Waits.begin(waitUnavailable, "source: away")
	clock.advance(2 * time.Second) // nothing looks meanwhile
	look(2 * time.Second)
	w.end(clock.at)
	want := []supervise.EventKind{observe.WaitsLong, observe.WaitEnded, observe.WaitsLong, observe.WaitEnded}
	if !slices.Equal(kinds, want) {
		t.Errorf("the events are %v, want %v", kinds, want)
	}
}

// What the table of the documentation says is what the rules say.
func TestTheWaitsOfTheDocumentationAreThoseOfTheRules(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range waitRules {
		row := "\n| `" + rule.name + "` | "
		at := strings.Index(string(page), row)
		if at < 0 {
			t.Errorf("%s is not in the table", rule.name)
			continue
		}
		patience, _, _ := strings.Cut(string(page)[at+len(row):], " |")
		patience, _, _ = strings.Cut(patience, " without")
		patience, _, _ = strings.Cut(patience, ", and")
		said, err := time.ParseDuration(strings.NewReplacer(" s", "s", " min", "m", "never", "0s").Replace(patience))
		if err != nil || said != rule.patience {
			t.Errorf("%s is overdue after %v, and the table says %q", rule.name, rule.patience, patience)
		}
	}
}
