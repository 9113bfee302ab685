package engine

import (
	"context"
	"errors"
	"time"

	"penstock/engine/faultpoint"
	"penstock/engine/supervise"
)

// Bounds of one commit. Between them a batch grows by itself: while one
// commit is under way the next messages gather.
const (
	batchBytes = 512 << 10
	batchCalls = 16 << 10
)

const (
	// gatherTime is how long calls gather when no commit is under way. Where there is much to do and each call takes
	// long there would else be no commit for as long as a whole batch takes, and a process that dies more often than
	// that would never come on.
	gatherTime = 20 * time.Millisecond

	// callsPerLook is how many calls pass between two looks whether the batch is to go out; only one when they are
	// slow.
	callsPerLook = 16
)

// callLoop is loop, for which a function that ends its goroutine has failed
// like any other.
func (t *task) callLoop(ctx context.Context) error {
	for {
		err := supervise.Call(func() error { return t.loop(ctx) })
		exit, ok := err.(*supervise.PanicError)
		if !ok || exit.Value != supervise.ErrGoexit {
			return err
		}
		t.endTurn(ctx)
		t.code.saving.leave()
		t.code.guard.begin()
		if t.code.guard.abandoned() {
			return errAbandoned
		}
		if t.call.unit == commitUnit {
			t.failures.checking = batchCalls // it was perhaps the codec, at a state that one of them left
		}
		if err := t.fail(ctx, exit); err != nil {
			return err
		}
	}
}

func (t *task) loop(ctx context.Context) error {
	if t.source != nil {
		return t.sourceLoop(ctx)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, err := t.round(ctx)
		if err != nil || next == toEnd {
			return err
		}
		if next == toWait {
			if err := t.wait(ctx, timer); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// afterRound says what follows a round of the loop.
type afterRound int

const (
	toGoOn afterRound = iota
	toWait            // until something can have changed
	toEnd
)

// round is one turn of the loop. It does not wait, but for a commit whose
// outcome has to be known first.
func (t *task) round(ctx context.Context) (afterRound, error) {
	t.looked = t.run.clock.Now()
	if err := t.receive(ctx); err != nil {
		return toEnd, err
	}
	if err := t.settle(ctx, false); err != nil {
		return toEnd, err
	}
	worked, err := t.work(ctx)
	if err != nil {
		if err := t.fail(ctx, err); err != nil {
			return toEnd, err
		}
		worked = true
	}
	if err := t.publishBatch(ctx); err != nil {
		if err := t.fail(ctx, err); err != nil {
			return toEnd, err
		}
		worked = true
	}
	if worked {
		return toGoOn, nil
	}
	switch finished, err := t.finish(ctx); {
	case errors.Is(err, errRewind):
		return toGoOn, nil
	case finished || err != nil:
		return toEnd, err
	}
	return toWait, nil
}

// receive takes what has arrived, without waiting.
func (t *task) receive(ctx context.Context) error {
	for {
		select {
		case a := <-t.inbox.arrivals:
			t.arrived(a)
		case err := <-t.inbox.refusals:
			return t.refused(ctx, err)
		default:
			return nil
		}
	}
}

func (t *task) arrived(a arrival) {
	a.input.queue = append(a.input.queue, delivered{Delivery: a.delivery})
	faultpoint.Hit(faultpoint.AfterPeek, t.definition.Name)
}

// wait blocks until something can have changed.
func (t *task) wait(ctx context.Context, timer *time.Timer) error {
	var done <-chan struct{}
	if t.flight != nil {
		done = t.flight.pending.Done()
	}
	pending := t.batch.calls > 0
	t.noteWaits(pending, !pending || t.flight != nil || t.hasRoom(t.batch.emitted, t.batch.bytes))
	timer.Reset(t.idle())
	select {
	case a := <-t.inbox.arrivals:
		t.arrived(a)
	case <-done:
	case <-timer.C:
	case <-t.wake:
	case err := <-t.inbox.refusals:
		return t.refused(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// work handles what is there, up to the bounds of a batch, and says whether
// it did anything. A panic of the user's code ends here.
func (t *task) work(ctx context.Context) (worked bool, err error) {
	start, calls, look := t.run.clock.Now(), 0, 1
	t.lap(0, start)
	err = t.contained(ctx, func() error {
		for ; t.mayCall() && !t.code.guard.abandoned(); calls++ {
			if calls == look {
				if t.isToGoOut(ctx, start, calls) {
					return nil
				}
				look += min(look, t.pace.perLook) // the first ones are looked at earlier: they may be slow
			}
			called, err := t.callNext(ctx)
			if err != nil || !called {
				return err
			}
			worked = true
		}
		return nil
	})
	if errors.Is(err, errAbandoned) {
		return false, err
	}
	t.noteHeads()
	end := t.run.clock.Now()
	t.lap(calls, end)
	t.pace.times.Flush()
	took := end.Sub(start)
	if worked || err != nil {
		t.observed.stats.Busy.Add(int64(took))
	}
	switch {
	case calls == 0: // it tells nothing of calls
	case took > gatherTime/callsPerLook*time.Duration(calls):
		t.pace.perLook = 1
	default:
		t.pace.perLook = callsPerLook
	}
	return worked, err
}

// isToGoOut says whether what has gathered since then, by so many calls, is to be committed, as far as it may.
func (t *task) isToGoOut(ctx context.Context, since time.Time, calls int) bool {
	switch {
	case ctx.Err() != nil:
		return true
	case t.flight != nil:
		if t.isLap(calls) {
			t.lap(calls, t.run.clock.Now())
		}
		return t.flight.isDone()
	}
	now := t.run.clock.Now()
	if t.isLap(calls) {
		t.lap(calls, now)
	}
	return now.Sub(since) >= gatherTime
}

// publishBatch commits what has gathered, unless a commit is under way, letters
// are, or the channel is full.
func (t *task) publishBatch(ctx context.Context) error {
	if t.flight != nil || t.batch.calls == 0 || t.letters.pending.Load() > 0 {
		return nil
	}
	if !t.hasRoom(t.batch.emitted, t.batch.bytes) || t.run.space.isFull() || t.waitsFor(commitUnit) {
		return nil
	}
	if err := t.publish(ctx, false); !errors.Is(err, errNotYet) {
		return err
	}
	return nil
}
