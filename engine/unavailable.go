package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"penstock/dlq"
	"penstock/engine/supervise"
)

// An answer Unavailable is no failure, whatever function of a stage gives it.
// The call is undone, and made again after a delay that grows to some seconds,
// for as long as it takes; each try is one call. What waits besides is
// different: the head of an input, or a timer, waits alone. A source, and the
// hooks Start, BeforeCommit and End, hold up their stage.

// outages are the calls of a session that have answered Unavailable, and have
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
func inputCall(i *input) string { return "input " + i.definition.stream.String() }

// errStopsWaiting ends a life that waits for the other side, because the run
// drains. It is no failure.
var errStopsWaiting = errors.New("the run ends while the stage waits for what it calls")

// isAway notes that a call was answered with Unavailable, and says how long to
// wait before the next one. The unit is what was called exactly.
func (in *session) isAway(call, unit string, answer error) time.Duration {
	if in.hold.abandoned() {
		return 0
	}
	in.stats.Unavailable.Add(1)
	o := &in.outages
	o.mu.Lock()
	defer o.mu.Unlock()
	away := o.calls[call]
	isNew := away == nil
	now := in.run.clock.now()
	if isNew {
		away = &outage{since: now}
		if o.calls == nil {
			o.calls = map[string]*outage{}
		}
		o.calls[call] = away
		o.count.Add(1)
	}
	away.tries++
	delay := in.definition.options.unavailableDelay(away.tries)
	away.until = now.Add(delay)
	away.detail = dlq.Cut(fmt.Sprintf("%s: %v", unit, answer), dlq.MaxAttemptText)
	in.waits.begin(waitUnavailable, o.describe())
	if isNew {
		in.logOften(slog.LevelWarn, call, "the stage waits for what it calls, which is unavailable", "call", unit, "error", brief(answer), "delay", delay)
	}
	return delay
}

// isBack notes that a call has succeeded.
func (in *session) isBack(call string) {
	o := &in.outages
	if o.count.Load() == 0 || in.hold.abandoned() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	away := o.calls[call]
	if away == nil {
		return
	}
	delete(o.calls, call)
	o.count.Add(-1)
	in.logOften(slog.LevelInfo, call, "what the stage calls is available again", "call", call,
		"after", in.run.clock.now().Sub(away.since).Round(time.Millisecond), "tries", away.tries)
	if len(o.calls) == 0 {
		in.waits.end(waitUnavailable)
		return
	}
	in.waits.begin(waitUnavailable, o.describe())
}

// inputIsBack is isBack of the messages of an input.
func (in *session) inputIsBack(i *input) {
	if i != nil && in.outages.count.Load() > 0 {
		in.isBack(inputCall(i))
	}
}

// inputIsAway says that the messages of an input wait for the other side.
func (in *session) inputIsAway(i *input) bool {
	if in.outages.count.Load() == 0 {
		return false
	}
	_, isAway := in.away(inputCall(i))
	return isAway
}

// away is until when a call waits, if it does at all. With a time that has
// passed it is to be made alone.
func (in *session) away(call string) (until time.Time, isAway bool) {
	o := &in.outages
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
func (in *session) waitsFor(call string) bool {
	until, isAway := in.away(call)
	return isAway && until.After(in.run.clock.now())
}

// timerWaits is waitsFor of a timer.
func (in *session) timerWaits(timer int) bool {
	return in.outages.count.Load() > 0 && in.waitsFor(unitOfTimer(timer))
}

// timerIsAway says that a timer comes alone, for its last call answered Unavailable.
func (in *session) timerIsAway(timer int) bool {
	if in.outages.count.Load() == 0 {
		return false
	}
	_, isAway := in.away(unitOfTimer(timer))
	return isAway
}

// nextTry is how long no call is to be made again that waits.
func (in *session) untilNextTry(now time.Time, most time.Duration) time.Duration {
	o := &in.outages
	if o.count.Load() == 0 {
		return most
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, away := range o.calls {
		if away.until.After(in.looked) {
			most = min(most, away.until.Sub(now))
		}
	}
	return most
}

// hasAnswered is isBack of the call at hand, which failed in another way.
func (in *session) hasAnswered() {
	if in.current != nil {
		in.inputIsBack(in.current)
		return
	}
	in.isBack(in.unit)
}

// undoAway undoes a message or a timer that was answered with Unavailable where
// an answer is not looked at: by a panic.
func (in *session) undoAway(ctx context.Context, answer error) error {
	in.traceFailed(answer)
	in.calledOut(false)
	err := errRewind
	if i := in.current; i != nil {
		err = in.postpone(i, in.whileUnavailable(i, answer))
	} else {
		in.isAway(in.unit, in.unit, answer)
	}
	if err == nil {
		return nil
	}
	return in.fail(ctx, err)
}

// whileUnavailable is how long the head of an input waits.
func (in *session) whileUnavailable(i *input, answer error) error {
	unit := "message " + messageUnit(i.definition, in.currentAt)
	if in.batched > 1 {
		unit = fmt.Sprintf("%d messages from %s", in.batched, messageUnit(i.definition, in.currentAt))
	}
	return &snooze{in.isAway(inputCall(i), unit, answer)}
}

// forgetOutages comes when a life ends: what is down calls nobody, and the next
// life asks at once.
func (in *session) forgetOutages() {
	if in.hold.abandoned() {
		return
	}
	o := &in.outages
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.calls) == 0 {
		return
	}
	for _, i := range in.inputs {
		if o.calls[inputCall(i)] != nil {
			i.until = time.Time{}
		}
	}
	clear(o.calls)
	o.count.Store(0)
	in.waits.end(waitUnavailable)
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

// awaitOther waits in place until a call is to be made again: what makes it
// cannot go on without. A stop, or a drain, ends that.
func (in *session) awaitOther(ctx context.Context, call, unit string, answer error) error {
	in.isAway(call, unit, answer)
	return in.awaitTry(ctx, call)
}

// awaitTry is awaitOther for an answer that is noted already.
func (in *session) awaitTry(ctx context.Context, call string) error {
	until, _ := in.away(call)
	for {
		if in.run.isDraining() {
			return errStopsWaiting
		}
		left := until.Sub(in.run.clock.now())
		if left <= 0 {
			return ctx.Err()
		}
		if err := in.run.clock.pause(ctx, min(left, drainLook)); err != nil {
			return err
		}
	}
}

// unlessAway makes a call that holds up its stage until it succeeds or fails.
func (in *session) unlessAway(ctx context.Context, unit string, fn func() error) error {
	for {
		err := in.hook(ctx, unit, fn)
		if !isUnavailable(err) {
			if err == nil {
				in.isBack(unit)
			}
			return err
		}
		in.traceFailed(err)
		if err := in.awaitOther(ctx, unit, unit, err); err != nil {
			return err
		}
	}
}

// undoneIfAway calls a function for the whole stage, and undoes what it did when
// it answers Unavailable. It runs where the user's functions do, for the state's
// codec may be needed.
func (in *session) undoneIfAway(fn func() error) error {
	in.batch.begin(0)
	timers := append([]int64(nil), in.timers...)
	restore := in.machine.keeper().save()
	err := supervise.Contain(fn)
	if err == nil {
		err = in.batch.callErr
	}
	if !isUnavailable(err) {
		return err
	}
	in.batch.undo()
	copy(in.timers, timers)
	if unrestored := restore(); unrestored != nil {
		return fmt.Errorf("undo what %s did, which answered that %v: %w", in.unit, err, unrestored)
	}
	return err
}
