package task

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

// callLoop is the loop of its role, for which a function that ends its goroutine has failed
// like any other.
func (t *Task) callLoop(ctx context.Context) error {
	for {
		err := supervise.Call(func() error { return t.role.loop(ctx) })
		exit, ok := err.(*supervise.PanicError)
		if !ok || exit.Value != supervise.ErrGoexit {
			return err
		}
		t.endTurn(ctx)
		t.Code.saving.leave()
		t.Code.Custody.Begin()
		if t.Code.Custody.Abandoned() {
			return errAbandoned
		}
		if t.call.unit == commitUnit {
			t.Failures.checking = batchCalls // it was perhaps the codec, at a state that one of them left
		}
		if err := t.Fail(ctx, exit); err != nil {
			return err
		}
	}
}

func (p processorRole) loop(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, err := p.Round(ctx)
		if err != nil || next == ToEnd {
			return err
		}
		if next == ToWait {
			if err := p.wait(ctx, timer); err != nil {
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
	ToWait            // until something can have changed
	ToEnd
)

// Round is one turn of the loop. It does not wait, but for a commit whose
// outcome has to be known first.
func (t *Task) Round(ctx context.Context) (afterRound, error) {
	t.Looked = t.Run.Clock.Now()
	if err := t.receive(ctx); err != nil {
		return ToEnd, err
	}
	if err := t.Settle(ctx, false); err != nil {
		return ToEnd, err
	}
	worked, err := t.work(ctx)
	if err != nil {
		if err := t.Fail(ctx, err); err != nil {
			return ToEnd, err
		}
		worked = true
	}
	if err := t.publishBatch(ctx); err != nil {
		if err := t.Fail(ctx, err); err != nil {
			return ToEnd, err
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
		return ToEnd, err
	}
	return ToWait, nil
}

// receive takes what has arrived, without waiting.
func (t *Task) receive(ctx context.Context) error {
	for {
		select {
		case a := <-t.Inbox.arrivals:
			t.Arrived(a)
		case err := <-t.Inbox.Refusals:
			return t.refused(ctx, err)
		default:
			return nil
		}
	}
}

func (t *Task) Arrived(a Arrival) {
	a.Input.queue = append(a.Input.queue, delivered{Delivery: a.Delivery})
	faultpoint.Hit(faultpoint.AfterPeek, t.Definition.Name)
}

// wait blocks until something can have changed.
func (t *Task) wait(ctx context.Context, timer *time.Timer) error {
	pending := t.Batch.Calls > 0
	t.noteWaits(pending, !pending || t.Txn != nil || t.hasRoom(t.Batch.Emitted, t.Batch.Bytes))
	timer.Reset(t.Idle())
	select {
	case a := <-t.Inbox.arrivals:
		t.Arrived(a)
	case <-t.Txn.answered():
	case <-timer.C:
	case <-t.Wake:
	case err := <-t.Inbox.Refusals:
		return t.refused(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// work handles what is there, up to the bounds of a batch, and says whether
// it did anything. A panic of the user's code ends here.
func (t *Task) work(ctx context.Context) (worked bool, err error) {
	start, calls, look := t.Run.Clock.Now(), 0, 1
	t.lap(0, start)
	err = t.contained(ctx, func() error {
		for ; t.mayCall() && !t.Code.Custody.Abandoned(); calls++ {
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
	end := t.Run.Clock.Now()
	t.lap(calls, end)
	t.pace.times.Flush()
	took := end.Sub(start)
	if worked || err != nil {
		t.Observed.Stats.Busy.Add(int64(took))
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
func (t *Task) isToGoOut(ctx context.Context, since time.Time, calls int) bool {
	switch {
	case ctx.Err() != nil:
		return true
	case t.Txn != nil:
		if t.isLap(calls) {
			t.lap(calls, t.Run.Clock.Now())
		}
		return t.Txn.IsDone()
	}
	now := t.Run.Clock.Now()
	if t.isLap(calls) {
		t.lap(calls, now)
	}
	return now.Sub(since) >= gatherTime
}

// publishBatch commits what has gathered, unless a commit is under way, letters
// are, or the channel is full.
func (t *Task) publishBatch(ctx context.Context) error {
	if t.Txn != nil || t.Batch.Calls == 0 || t.letters.pending.Load() > 0 {
		return nil
	}
	if !t.hasRoom(t.Batch.Emitted, t.Batch.Bytes) || t.Run.Space.IsFull() || t.waitsFor(commitUnit) {
		return nil
	}
	if err := t.publish(ctx, false); !errors.Is(err, errNotYet) {
		return err
	}
	return nil
}
