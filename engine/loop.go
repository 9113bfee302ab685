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
func (in *session) callLoop(ctx context.Context) error {
	for {
		err := supervise.Call(func() error { return in.loop(ctx) })
		exit, ok := err.(*supervise.PanicError)
		if !ok || exit.Value != supervise.ErrGoexit {
			return err
		}
		in.endTurn(ctx)
		in.code.saving.leave()
		in.code.hold.begin()
		if in.code.hold.abandoned() {
			return errAbandoned
		}
		if in.call.unit == commitUnit {
			in.failures.checking = batchCalls // it was perhaps the codec, at a state that one of them left
		}
		if err := in.fail(ctx, exit); err != nil {
			return err
		}
	}
}

func (in *session) loop(ctx context.Context) error {
	if in.source != nil {
		return in.sourceLoop(ctx)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, err := in.round(ctx)
		if err != nil || next == toEnd {
			return err
		}
		if next == toWait {
			if err := in.wait(ctx, timer); err != nil {
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
func (in *session) round(ctx context.Context) (afterRound, error) {
	in.looked = in.run.clock.Now()
	if err := in.receive(ctx); err != nil {
		return toEnd, err
	}
	if err := in.settle(ctx, false); err != nil {
		return toEnd, err
	}
	worked, err := in.work(ctx)
	if err != nil {
		if err := in.fail(ctx, err); err != nil {
			return toEnd, err
		}
		worked = true
	}
	if err := in.publishBatch(ctx); err != nil {
		if err := in.fail(ctx, err); err != nil {
			return toEnd, err
		}
		worked = true
	}
	if worked {
		return toGoOn, nil
	}
	switch finished, err := in.finish(ctx); {
	case errors.Is(err, errRewind):
		return toGoOn, nil
	case finished || err != nil:
		return toEnd, err
	}
	return toWait, nil
}

// receive takes what has arrived, without waiting.
func (in *session) receive(ctx context.Context) error {
	for {
		select {
		case a := <-in.inbox.arrivals:
			in.arrived(a)
		case err := <-in.inbox.refusals:
			return in.refused(ctx, err)
		default:
			return nil
		}
	}
}

func (in *session) arrived(a arrival) {
	a.input.queue = append(a.input.queue, delivered{Delivery: a.delivery})
	faultpoint.Hit(faultpoint.AfterPeek, in.definition.name)
}

// wait blocks until something can have changed.
func (in *session) wait(ctx context.Context, timer *time.Timer) error {
	var done <-chan struct{}
	if in.flight != nil {
		done = in.flight.pending.Done()
	}
	pending := in.batch.calls > 0
	in.noteWaits(pending, !pending || in.flight != nil || in.hasRoom(in.batch.emitted, in.batch.bytes))
	timer.Reset(in.idle())
	select {
	case a := <-in.inbox.arrivals:
		in.arrived(a)
	case <-done:
	case <-timer.C:
	case <-in.wake:
	case err := <-in.inbox.refusals:
		return in.refused(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// work handles what is there, up to the bounds of a batch, and says whether
// it did anything. A panic of the user's code ends here.
func (in *session) work(ctx context.Context) (worked bool, err error) {
	start, calls, look := in.run.clock.Now(), 0, 1
	in.lap(0, start)
	err = in.contained(ctx, func() error {
		for ; in.mayCall() && !in.code.hold.abandoned(); calls++ {
			if calls == look {
				if in.isToGoOut(ctx, start, calls) {
					return nil
				}
				look += min(look, in.pace.perLook) // the first ones are looked at earlier: they may be slow
			}
			called, err := in.callNext(ctx)
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
	in.noteHeads()
	end := in.run.clock.Now()
	in.lap(calls, end)
	in.pace.times.Flush()
	took := end.Sub(start)
	if worked || err != nil {
		in.observed.stats.Busy.Add(int64(took))
	}
	switch {
	case calls == 0: // it tells nothing of calls
	case took > gatherTime/callsPerLook*time.Duration(calls):
		in.pace.perLook = 1
	default:
		in.pace.perLook = callsPerLook
	}
	return worked, err
}

// isToGoOut says whether what has gathered since then, by so many calls, is to be committed, as far as it may.
func (in *session) isToGoOut(ctx context.Context, since time.Time, calls int) bool {
	switch {
	case ctx.Err() != nil:
		return true
	case in.flight != nil:
		if in.isLap(calls) {
			in.lap(calls, in.run.clock.Now())
		}
		return in.flight.isDone()
	}
	now := in.run.clock.Now()
	if in.isLap(calls) {
		in.lap(calls, now)
	}
	return now.Sub(since) >= gatherTime
}

// publishBatch commits what has gathered, unless a commit is under way, letters
// are, or the channel is full.
func (in *session) publishBatch(ctx context.Context) error {
	if in.flight != nil || in.batch.calls == 0 || in.letters.pending.Load() > 0 {
		return nil
	}
	if !in.hasRoom(in.batch.emitted, in.batch.bytes) || in.run.space.isFull() || in.waitsFor(commitUnit) {
		return nil
	}
	if err := in.publish(ctx, false); !errors.Is(err, errNotYet) {
		return err
	}
	return nil
}
