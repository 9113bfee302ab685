package waits

import (
	"fmt"
	"log/slog"
	"time"

	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// Interval is how long after each other a Watch is to look.
const Interval = time.Second

const (
	again     = 30 * time.Second // until it is logged for the second time; then twice as long, and so on
	againAway = 5 * time.Second  // the same of what a function calls: most of these are short
	againMost = 5 * time.Minute
)

// A Watch tells of the waits of a run that last longer than they do for good reasons: once as an event, and again and
// again in the log, until they are over. It belongs to one goroutine.
type Watch struct {
	tell func(supervise.Event)
	told map[place]*told
}

// A Waiter is who waits: the pipeline, or one of its stages.
type Waiter struct {
	Stage string // "": the pipeline
	Log   *slog.Logger
	Waits []Wait
}

// place is where a wait is under way.
type place struct {
	stage string
	input int
	kind  Kind
}

type told struct {
	wait  Wait
	log   *slog.Logger
	again time.Time // it is logged once more
	pause time.Duration
	seen  bool // it is still under way
}

// NewWatch returns a watch that has told of nothing yet. Its events go to tell.
func NewWatch(tell func(supervise.Event)) *Watch { return &Watch{tell: tell, told: map[place]*told{}} }

// Look tells what has become overdue, and what that was is over. It is shown everybody who waits.
func (w *Watch) Look(now time.Time, waiters ...Waiter) {
	for _, t := range w.told {
		t.seen = false
	}
	for _, who := range waiters {
		w.lookAt(who, now)
	}
	for of, t := range w.told {
		if !t.seen {
			delete(w.told, of)
			w.over(of, t, now)
		}
	}
}

// End tells of the waits that last to the end of the run: each that was told of ends in the events.
func (w *Watch) End(now time.Time) {
	for of, t := range w.told {
		w.over(of, t, now)
	}
	clear(w.told)
}

func (w *Watch) lookAt(who Waiter, now time.Time) {
	for _, is := range who.Waits {
		if !is.Overdue {
			continue
		}
		of := place{who.Stage, is.Input, is.Kind}
		t := w.told[of]
		if t != nil && !t.wait.Since.Equal(is.Since) { // between two looks one ended, and the next began
			w.over(of, t, is.Since)
			t = nil
		}
		if t == nil {
			t = &told{log: who.Log, pause: is.Kind.logPause()}
			t.again = now.Add(t.pause)
			w.told[of] = t
			w.tell(supervise.Event{Child: who.Stage, Kind: observe.WaitsLong, Detail: is.String()})
			if !is.isTold {
				who.warn(is)
			}
		}
		t.wait, t.seen = is, true
		if !now.Before(t.again) {
			t.pause = min(2*t.pause, againMost)
			t.again = now.Add(t.pause)
			who.warn(is)
		}
	}
}

func (who *Waiter) warn(is Wait) {
	text := "the pipeline waits"
	if who.Stage != "" {
		text = "the stage waits"
	}
	who.Log.Warn(text, "for", is.For, "detail", is.Detail, "since", is.Since, "readiness", is.Readiness)
}

func (w *Watch) over(of place, t *told, now time.Time) {
	lasted := now.Sub(t.wait.Since).Round(time.Second)
	w.tell(supervise.Event{Child: of.stage, Kind: observe.WaitEnded, Detail: fmt.Sprintf("%s, after %v", t.wait.For, lasted)})
	if t.wait.isTold {
		return
	}
	text := "the pipeline's wait ended"
	if of.stage != "" {
		text = "the stage's wait ended"
	}
	t.log.Info(text, "for", t.wait.For, "lasted", lasted)
}

// logPause is how long after its first line a wait is logged again.
func (k Kind) logPause() time.Duration {
	if k == Unavailable {
		return againAway
	}
	return again
}
