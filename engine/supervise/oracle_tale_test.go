package supervise_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"penstock/engine/supervise"
)

// tale reads a log: one entry a line, with seconds, path, and what happened.
func tale(t *testing.T, text string) (log []entry) {
	t.Helper()
	kinds := map[string]supervise.EventKind{"starting": supervise.Starting, "up": supervise.Up, "fault": supervise.Failed,
		"backoff": supervise.BackingOff, "restarting": supervise.Restarting, "stopped": supervise.Stopped, "escalated": supervise.Escalated,
		"givenup": supervise.GivenUp, "abandoned": supervise.Abandoned}
	marks := map[string]mark{"began": began, "said": said, "told": told, "unwell": told, "ended": ended, "asked": asked, "probed": probed, "stop": ordered,
		"done": answered, "settled": settled, "cancelled": cancelled, "returned": returned, "stuck": stuck}
	reasons := map[string]supervise.Reason{"error": supervise.Error, "panic": supervise.Panic, "unhealthy": supervise.Unhealthy,
		"normal": supervise.Normal, "shutdown": supervise.Shutdown}
	hows := map[string]outcome{"obeys": obeys, "ends": ends, "fails": fails, "panics": panics, "escalates": escalates, "fatal": fatal}
	errs := map[string]error{"canceled": context.Canceled, "limit": errLimit, "fatal": supervise.Fatal(errFatal),
		"left": &supervise.AbandonedError{Children: []string{"c"}}}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		seconds, err := strconv.ParseFloat(f[0], 64)
		if err != nil || len(f) < 3 {
			t.Fatalf("line %q: %v", line, err)
		}
		e := entry{when: time.Duration(seconds * float64(time.Second)), path: strings.TrimPrefix(f[1], "-"), what: marks[f[2]], unwell: f[2] == "unwell"}
		if e.what == ordered {
			e.order = stopIt
		}
		for _, word := range f[3:] {
			if reason, ok := reasons[word]; ok {
				e.event.Reason, e.fault.Reason = reason, reason
			}
			if how, ok := hows[word]; ok {
				e.how = how
			}
			if err, ok := errs[word]; ok {
				e.err, e.event.Err = err, err
			}
			if d, err := time.ParseDuration(word); err == nil {
				e.event.Delay = d
			}
			if n, err := strconv.Atoi(word); err == nil {
				e.life, e.event.Restart = n, n
			}
			if word == "bad" {
				e.health = supervise.LevelUnhealthy
			}
			if word == "running" || word == "ended" {
				st := supervise.ChildStatus{Name: "a", State: supervise.StateRunning, Starts: 1}
				if word == "ended" {
					st.State = supervise.StateEnded
				}
				e.status = append(e.status, st)
			}
		}
		if kind, ok := kinds[f[2]]; ok {
			e.event.Kind = kind
		} else if e.what == event {
			t.Fatalf("line %q says nothing known", line)
		}
		log = append(log, e)
	}
	return log
}

var errLimit = errors.New("limit reached")

// family is a group of children a, b and c, with a delay of one second.
func family(strategy supervise.Strategy, limit int, change func(root *node)) *node {
	root := &node{group: true, strategy: strategy, limit: supervise.Limit{Restarts: limit, Window: time.Minute}}
	for _, name := range []string{"a", "b", "c"} {
		root.add(name).backoff = supervise.Backoff{Initial: time.Second, Max: time.Hour, Quiet: time.Hour}
	}
	if change != nil {
		change(root)
	}
	return root
}
