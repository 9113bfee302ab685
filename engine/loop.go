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

func (in *instance) loop(ctx context.Context) error {
	if in.source != nil {
		return in.sourceLoop(ctx)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		if err := in.receive(ctx); err != nil {
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
	return ctx.Err()
}

// receive takes what has arrived, without waiting.
func (in *instance) receive(ctx context.Context) error {
	for {
		select {
		case a := <-in.arrivals:
			in.arrived(a)
		case err := <-in.refusals:
			return in.refused(ctx, err)
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
		return in.refused(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// idle is how long nothing is due.
func (in *instance) idle() time.Duration {
	now := time.Now()
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
	start := time.Now()
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
		in.stats.Busy.Add(int64(time.Since(start)))
	}
	return worked, err
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
