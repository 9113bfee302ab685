package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/supervise"
)

// Bounds of one commit. Between them a batch grows by itself: while one
// commit is under way the next messages gather.
const (
	batchBytes = 512 << 10
	batchCalls = 16 << 10
)

// errRewind asks for a rollback that is nobody's failure.
var errRewind = errors.New("rewind")

// serve is one life of the instance, from its last commit to its end, a stop
// or a fault.
func (in *instance) serve(ctx context.Context) error {
	if in.isEnded.Load() {
		return nil
	}
	ctx = context.WithValue(ctx, instanceKey{}, in)
	err := in.start(ctx)
	if err == nil {
		err = in.loop(ctx)
	}
	stopErr := supervise.Call(func() error { return in.machine.callStop(ctx) })
	if err == nil && stopErr != nil {
		in.log.Warn("the stop hook failed", "error", stopErr)
	}
	if err == nil {
		in.stopped.Store(true)
		in.run.pokeAll()
	}
	return err
}

func (in *instance) start(ctx context.Context) error {
	in.stats.Starts.Add(1)
	in.saveStats()
	if err := in.afterExit(ctx); err != nil {
		return err
	}
	if err := in.rollback(); err != nil {
		return in.escalate(err)
	}
	in.unit, in.attempt = "start", in.nextTry("start")
	in.batch.begin(0)
	err := supervise.Call(func() error { return in.machine.callStart(ctx) })
	if err == nil {
		err = in.batch.callErr
	}
	if err != nil {
		return in.fail(ctx, err)
	}
	in.succeeded("start")
	if in.batch.emitted > 0 {
		in.batch.calls++
	}
	return nil
}

// afterExit makes up for what a function left undone that ended its goroutine
// by runtime.Goexit.
func (in *instance) afterExit(ctx context.Context) error {
	err := in.exited
	if err == nil {
		return nil
	}
	in.exited = nil
	if err := in.settle(ctx, true); err != nil {
		return err
	}
	if err := in.record(err); isFatal(err) {
		return in.escalate(err)
	}
	return nil
}

func (in *instance) loop(ctx context.Context) error {
	if in.source != nil {
		return in.sourceLoop(ctx)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if err := in.receive(); err != nil {
			return err
		}
		if err := in.settle(ctx, false); err != nil {
			return err
		}
		worked, err := in.work(ctx)
		if err == nil {
			err = in.publishBatch(ctx)
		}
		if err != nil {
			if err := in.fail(ctx, err); err != nil {
				return err
			}
			continue
		}
		if worked {
			continue
		}
		if finished, err := in.finish(ctx); finished || err != nil {
			if errors.Is(err, errRewind) {
				continue
			}
			return err
		}
		if err := in.wait(ctx, timer); err != nil {
			return err
		}
	}
}

// receive takes what has arrived, without waiting.
func (in *instance) receive() error {
	for {
		select {
		case a := <-in.arrivals:
			in.arrived(a)
		case err := <-in.refusals:
			return in.escalate(err)
		default:
			return nil
		}
	}
}

func (in *instance) arrived(a arrival) {
	a.input.queue = append(a.input.queue, a.delivery)
	faultpoint.Hit(faultpoint.AfterPeek, in.definition.name)
}

// wait blocks until something can have changed.
func (in *instance) wait(ctx context.Context, timer *time.Timer) error {
	var done <-chan struct{}
	if in.flight != nil {
		done = in.flight.pending.Done()
	}
	timer.Reset(in.idle())
	select {
	case a := <-in.arrivals:
		in.arrived(a)
	case <-done:
	case <-timer.C:
	case <-in.wake:
	case err := <-in.refusals:
		return in.escalate(err)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// idle is how long nothing is due.
func (in *instance) idle() time.Duration {
	now := in.now()
	idle := time.Hour
	for _, due := range in.timers {
		idle = min(idle, time.Unix(0, due).Sub(now))
	}
	for _, i := range in.inputs {
		if !i.until.IsZero() {
			idle = min(idle, i.until.Sub(now))
		}
	}
	return max(idle, 0)
}

// work handles what is there, up to the bounds of a batch, and says whether
// it did anything. A panic of the user's code ends here.
func (in *instance) work(ctx context.Context) (worked bool, err error) {
	start := in.now()
	returned := false
	defer func() {
		if !returned {
			in.exited = &supervise.PanicError{Value: supervise.ErrGoexit}
		}
	}()
	err = supervise.Contain(func() error {
		for n := 0; in.mayCall(); n++ {
			if n%16 == 15 && (in.flight.isDone() || ctx.Err() != nil) {
				return nil
			}
			called, err := in.callNext(ctx)
			if err != nil || !called {
				return err
			}
			worked = true
		}
		return nil
	})
	returned = true
	if worked || err != nil {
		in.stats.Busy.Add(int64(in.now().Sub(start)))
	}
	return worked, err
}

// mayCall says whether the batch takes another call.
func (in *instance) mayCall() bool {
	b := in.batch
	return !in.closed && !in.ending && b.bytes < batchBytes && b.calls < in.maxCalls && b.emitted < in.capacity.Messages
}

// clean says that everything before the next call is committed.
func (in *instance) clean() bool { return in.flight == nil && in.batch.calls == 0 }

func (in *instance) callNext(ctx context.Context) (bool, error) {
	if timer := in.dueTimer(); timer >= 0 {
		return true, in.callTimer(ctx, timer)
	}
	i := in.choose()
	if i == nil {
		return false, nil
	}
	failing := in.failing == i && in.failingAt == i.next
	if (failing || i.alone && i.aloneAt == i.next) && !in.clean() {
		return false, nil
	}
	if failing && in.usedUp() {
		return true, in.divert(ctx, i)
	}
	if i.definition.batch {
		return true, in.callBatch(ctx, i, failing)
	}
	return true, in.callMessage(ctx, i, failing)
}

// choose returns an input whose head may be handled, in turn.
func (in *instance) choose() *input {
	n := len(in.inputs)
	if n > 1 && in.batch.calls%64 == 63 {
		in.turn = (in.turn + 1) % n
	}
	for k := range n {
		turn := (in.turn + k) % n
		i := in.inputs[turn]
		if !i.peek() || i.held {
			continue
		}
		if !i.until.IsZero() && in.now().Before(i.until) {
			continue
		}
		in.turn = turn
		return i
	}
	return nil
}

func (in *instance) callMessage(ctx context.Context, i *input, failing bool) error {
	p := &i.head
	if failing {
		p.attempt = in.attempts.Count + 1
	}
	in.current, in.currentAt, in.batched, in.attempt = i, i.next, 1, p.attempt
	in.machine.keeper().mark()
	in.batch.begin(p.message.Time)
	err := in.machine.callMessage(ctx, p)
	if in.batch.callErr != nil && (err == nil || err == io.EOF) {
		err = in.batch.callErr
	}
	switch {
	case err == nil:
	case err == io.EOF:
		in.ending = true
	case err == Hold || isSnooze(err):
		return in.postpone(i, err)
	default:
		return err
	}
	faultpoint.Hit(faultpoint.MidProcess, in.definition.name)
	i.take()
	in.moved(i, failing)
	return nil
}

// moved notes that a call succeeded: who was held by the others is asked again.
func (in *instance) moved(i *input, failing bool) {
	in.batch.calls++
	in.lastCall, in.lastCallAt = i, in.currentAt
	in.current = nil
	if failing {
		in.failing, in.closed = nil, true
	}
	if len(in.inputs) > 1 {
		for _, other := range in.inputs {
			if other != i {
				other.held = false
			}
		}
	}
}

func (in *instance) callBatch(ctx context.Context, i *input, failing bool) error {
	limit := in.batchLimit(i, failing)
	first := i.next
	in.gathered = in.gathered[:0]
	for uint64(len(in.gathered)) < limit && i.peek() {
		if in.failing == i && in.failingAt == i.next && !failing {
			break
		}
		if failing {
			i.head.attempt = in.attempts.Count + 1
		}
		in.gathered = append(in.gathered, i.head)
		i.take()
	}
	in.current, in.currentAt, in.batched, in.attempt = i, first, len(in.gathered), in.gathered[0].attempt
	in.batch.begin(in.gathered[len(in.gathered)-1].message.Time)
	err := in.machine.callBatch(ctx, i.definition.index, in.gathered)
	if in.batch.callErr != nil && (err == nil || err == io.EOF) {
		err = in.batch.callErr
	}
	switch {
	case err == nil:
	case err == io.EOF:
		in.ending = true
	case err == Hold || isSnooze(err):
		i.alone, i.aloneAt = true, first
		return in.postpone(i, err)
	default:
		return err
	}
	faultpoint.Hit(faultpoint.MidProcess, in.definition.name)
	in.moved(i, failing)
	return nil
}

// batchLimit is how many messages the next batch call may get.
func (in *instance) batchLimit(i *input, failing bool) uint64 {
	limit := uint64(in.definition.options.batch)
	switch {
	case failing, i.suspect <= i.next && i.next < i.cleared:
		return 1
	case i.next < i.suspect:
		return min(limit, i.suspect-i.next)
	}
	return limit
}

func isSnooze(err error) bool {
	var s *snooze
	return errors.As(err, &s) || errors.Is(err, Hold)
}

// postpone undoes a call that was answered with Hold or Snooze. Where the
// state cannot simply be put back the instance returns to its last commit,
// commits what was before the message, and asks for it alone.
func (in *instance) postpone(i *input, answer error) error {
	undone := !i.definition.batch && in.machine.keeper().undo()
	if !undone && !in.clean() {
		if !i.definition.batch {
			i.alone, i.aloneAt = true, i.next
		}
		return errRewind
	}
	in.batch.undo()
	if !undone {
		if err := in.rollback(); err != nil {
			return err
		}
	}
	var s *snooze
	if errors.As(answer, &s) {
		i.until = in.now().Add(s.delay)
	} else {
		i.held = true
	}
	in.current = nil
	return nil
}

// publishBatch commits what has gathered, unless a commit is under way or the
// channel is full.
func (in *instance) publishBatch(ctx context.Context) error {
	if in.flight != nil || in.batch.calls == 0 {
		return nil
	}
	if !in.hasRoom(in.batch.emitted, in.batch.bytes) {
		return nil
	}
	return in.publish(ctx, false)
}

// fail decides what a failure means. nil: go on in this life.
func (in *instance) fail(ctx context.Context, err error) error {
	if errors.Is(err, errRewind) {
		if err := in.settle(ctx, true); err != nil {
			return err
		}
		return in.rollback()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isFatal(err) {
		return in.escalate(err)
	}
	if err := in.settle(ctx, true); err != nil {
		return err
	}
	if err = in.record(err); isFatal(err) {
		return in.escalate(err)
	}
	if err == nil {
		return in.rollback()
	}
	return err
}

// record counts a failure of the call at hand. nil: it was the last one, and
// the stage can go on at once; else the fault that this life ends with.
func (in *instance) record(err error) error {
	i, at := in.current, in.currentAt
	in.current = nil
	switch {
	case i == nil:
		if err := in.countCall(in.unit, err); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", in.unit, err)
	case in.batched > 1:
		i.suspect, i.cleared = at, at+uint64(in.batched)
		return fmt.Errorf("a batch of %d messages from %s: %w", in.batched, messageUnit(i, at), err)
	}
	if err := in.countMessage(messageUnit(i, at), err); err != nil {
		return err
	}
	in.failing, in.failingAt = i, at
	if in.attempts.Final {
		return nil
	}
	return fmt.Errorf("message %s, attempt %d of %d: %w", in.attempts.Unit, in.attempts.Count, in.definition.options.attempts, err)
}

func isFatal(err error) bool {
	var f *fatal
	return errors.As(err, &f) || supervise.IsEscalated(err) || errors.Is(err, channel.ErrStreamLost)
}

func (in *instance) escalate(err error) error {
	if supervise.IsEscalated(err) {
		return err
	}
	return supervise.Escalate(err)
}
