package waits

import (
	"testing"
	"time"

	"penstock/engine/observe"
)

// A snooze that was under way before the others were overdue excuses them until it ends; a Hold, and a snooze after that,
// do not.
func TestASnoozeExcusesUntilItEnds(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1e9, 0)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	overdue := at(30)
	for name, c := range map[string]struct {
		since, until, now int
		want              bool
	}{
		"under way":                   {since: 1, until: 3600, now: 3599, want: true},
		"ends, and its call comes":    {since: 1, until: 60, now: 60, want: true},
		"ended":                       {since: 1, until: 60, now: 62, want: false},
		"again, when all are overdue": {since: 60, until: 3600, now: 61, want: false},
	} {
		wait := Wait{Kind: Held, Wait: observe.Wait{Since: at(c.since)}, Until: at(c.until)}
		if got := wait.excuses(overdue, at(c.now)); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if (&Wait{Kind: Held, Wait: observe.Wait{Since: at(1)}}).excuses(overdue, at(31)) {
		t.Error("Hold is an excuse")
	}
}

// What waited for a good reason has its patience from the end of that on: the stage that it waits for has to work first.
func TestPatienceBeginsWhenAGoodReasonEnds(t *testing.T) {
	t.Parallel()
	var e Excuse
	now := time.Unix(1e9, 0)
	for k, step := range []struct {
		later  time.Duration
		isGood bool
		want   bool
	}{
		{0, false, false},
		{time.Hour, true, true},
		{30 * time.Second, false, true},
		{time.Second, false, false},
		{time.Second, true, true},
	} {
		now = now.Add(step.later)
		if got := e.Covers(step.isGood, now, 30*time.Second); got != step.want {
			t.Errorf("step %d: %t", k, got)
		}
	}
}
