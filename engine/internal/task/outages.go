package task

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/waits"
	"penstock/engine/observe"
)

// outages are the calls of a task that have answered Unavailable, and have
// not succeeded since, by what is called. Safe for concurrent use: a source's
// function runs beside the loop.
type outages struct {
	count atomic.Int32 // of calls, so that a look costs little where there are none
	mu    sync.Mutex
	calls map[string]*outage
}

type outage struct {
	detail string
	since  time.Time
	tries  int
	until  time.Time // of the next try
}

// What is called that is no input and no timer.
const (
	sourceCall = "source"
	startUnit  = "start"
	commitUnit = "commit"
	endUnit    = "end"
)

// inputCall names the messages of an input.
func inputCall(i *Input) string { return "input " + i.String() }

// isAway notes that a call was answered with Unavailable, and says how long to
// wait before the next one. The unit is what was called exactly.
func (t *Task) isAway(call, unit string, said error) time.Duration {
	if t.Code.Custody.Abandoned() {
		return 0
	}
	unit = toldOf(unit)
	t.Observed.Stats.count(func(c *observe.LifeCounts) { c.Unavailable++ })
	isNew, delay := t.noteAway(call, unit, said)
	if isNew {
		t.logOften(slog.LevelWarn, call, "the stage waits: the service that it calls is unavailable", "call", call, "at", unit, "error", brief(said), "delay", delay)
	}
	return delay
}

// noteAway is isAway without the log, which is not written under the lock.
func (t *Task) noteAway(call, unit string, said error) (isNew bool, delay time.Duration) {
	o, now := &t.outages, t.Run.Clock.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	away := o.calls[call]
	if isNew = away == nil; isNew {
		away = &outage{since: now}
		if o.calls == nil {
			o.calls = map[string]*outage{}
		}
		o.calls[call] = away
		o.count.Add(1)
	}
	away.tries++
	delay = t.Definition.Options.UnavailableDelay(away.tries)
	away.until = now.Add(delay)
	away.detail = dlq.Cut(fmt.Sprintf("%s: %v", unit, said), dlq.MaxAttemptText)
	t.Waiting.waits.Begin(waits.Unavailable, o.describe())
	return isNew, delay
}

// isBack notes that a call has succeeded.
func (t *Task) isBack(call string) {
	if t.outages.count.Load() == 0 || t.Code.Custody.Abandoned() {
		return
	}
	if away := t.noteBack(call); away != nil {
		t.logOften(slog.LevelInfo, call, "the service that the stage calls is available again", "call", call,
			"after", t.Run.Clock.Now().Sub(away.since).Round(time.Millisecond), "tries", away.tries)
	}
}

// noteBack is isBack without the log. It returns the outage that is over, or nil.
func (t *Task) noteBack(call string) *outage {
	o := &t.outages
	o.mu.Lock()
	defer o.mu.Unlock()
	away := o.calls[call]
	if away == nil {
		return nil
	}
	delete(o.calls, call)
	o.count.Add(-1)
	if len(o.calls) == 0 {
		t.Waiting.waits.End(waits.Unavailable)
	} else {
		t.Waiting.waits.Begin(waits.Unavailable, o.describe())
	}
	return away
}

// inputIsBack is isBack of the messages of an input.
func (t *Task) inputIsBack(i *Input) {
	if i != nil && t.outages.count.Load() > 0 {
		t.isBack(inputCall(i))
	}
}

// inputIsAway says that the messages of an input wait for the other side.
func (t *Task) inputIsAway(i *Input) bool {
	if t.outages.count.Load() == 0 {
		return false
	}
	_, isAway := t.away(inputCall(i))
	return isAway
}

// away is until when a call waits, if it does at all. With a time that has
// passed it is to be made alone.
func (t *Task) away(call string) (until time.Time, isAway bool) {
	o := &t.outages
	if o.count.Load() == 0 {
		return time.Time{}, false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if away := o.calls[call]; away != nil {
		return away.until, true
	}
	return time.Time{}, false
}

// waitsFor says that it is too early to make a call again.
func (t *Task) waitsFor(call string) bool {
	until, isAway := t.away(call)
	return isAway && until.After(t.Run.Clock.Now())
}

// timerWaits is waitsFor of a timer.
func (t *Task) timerWaits(timer int) bool {
	return t.outages.count.Load() > 0 && t.waitsFor(unitOfTimer(timer))
}

// timerIsAway says that a timer comes alone, for its last call answered Unavailable.
func (t *Task) timerIsAway(timer int) bool {
	if t.outages.count.Load() == 0 {
		return false
	}
	_, isAway := t.away(unitOfTimer(timer))
	return isAway
}

// untilNextTry is how long it is until the first call that waits is made again;
// most, if that is longer or none waits.
func (t *Task) untilNextTry(now time.Time, most time.Duration) time.Duration {
	o := &t.outages
	if o.count.Load() == 0 {
		return most
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, away := range o.calls {
		if away.until.After(t.Looked) {
			most = min(most, away.until.Sub(now))
		}
	}
	return most
}

// hasAnswered is isBack of the call at hand, which failed in another way.
func (t *Task) hasAnswered() {
	if t.call.input != nil {
		t.inputIsBack(t.call.input)
		return
	}
	t.isBack(t.call.unit)
}

// forgetOutages comes when a life ends: what is down makes no calls, and the next
// life asks at once.
func (t *Task) forgetOutages() {
	if t.Code.Custody.Abandoned() {
		return
	}
	o := &t.outages
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.calls) == 0 {
		return
	}
	for _, i := range t.Inbox.Inputs {
		if o.calls[inputCall(i)] != nil {
			i.Until = time.Time{}
		}
	}
	clear(o.calls)
	o.count.Store(0)
	t.Waiting.waits.End(waits.Unavailable)
}

// describe names all that is waited for, the first one first.
func (o *outages) describe() string {
	list := make([]*outage, 0, len(o.calls))
	for _, away := range o.calls {
		list = append(list, away)
	}
	slices.SortFunc(list, func(a, b *outage) int {
		return cmp.Or(a.since.Compare(b.since), strings.Compare(a.detail, b.detail))
	})
	var b strings.Builder
	for k, away := range list {
		if k > 0 {
			b.WriteString("; ")
		}
		b.WriteString(away.detail)
	}
	return b.String()
}
