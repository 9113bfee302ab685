package engine

import (
	"context"
	"errors"
	"io"
)

// sourceLoop commits what the feeder produces.
func (in *session) sourceLoop(ctx context.Context) error {
	if err := in.beginFeeding(ctx); err != nil {
		return err
	}
	feedCtx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.feed(context.WithValue(feedCtx, feedKey{}, &in.source.call))
	}()
	defer in.leaveFeeder(done)
	defer cancel()
	for ctx.Err() == nil {
		if in.run.isDraining() || in.readersEnded() {
			cancel()
		}
		if err := in.settle(ctx, false); err != nil {
			return err
		}
		published, err := in.publishProduced(ctx)
		if err != nil {
			cancel()
			if !in.leaveFeeder(done) {
				return errAbandoned
			}
			return in.fail(ctx, err)
		}
		if published {
			continue
		}
		if finished, cause := in.allCommitted(); finished {
			<-done
			return in.sourceFinished(ctx, cause)
		}
		in.park()
		if in.run.isDraining() && in.isBlocked() {
			return nil
		}
		if err := in.waitSource(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// beginFeeding comes before the feeder starts.
func (in *session) beginFeeding(ctx context.Context) error {
	in.source.finished, in.source.err, in.traces.calling = false, nil, false
	if err := in.hook(ctx, startUnit, in.machine.keeper().Prepare); err != nil {
		return in.fail(ctx, err)
	}
	in.machine.keeper().Boundary()
	return nil
}

// publishProduced commits what there is, unless a commit is under way, or the
// channel or the disk is full.
func (in *session) publishProduced(ctx context.Context) (bool, error) {
	if in.flight != nil || !in.hasPending() || !in.batchFits() || in.run.space.isFull() {
		return false, nil
	}
	if err := in.publish(ctx, false); err != nil {
		return false, err
	}
	in.source.makeRoom()
	return true, nil
}

// leaveFeeder waits until the feeder has ended. As long as the source's
// function does not return the session may be abandoned: then it is false.
func (in *session) leaveFeeder(done <-chan struct{}) bool {
	in.code.hold.enter()
	<-done
	return in.code.hold.leave()
}

// allCommitted says whether the feeder has finished, why, and that nothing is
// left to commit.
func (in *session) allCommitted() (finished bool, cause error) {
	in.batch.mu.Lock()
	defer in.batch.mu.Unlock()
	return in.source.finished && in.batch.calls == 0 && in.flight == nil, in.source.err
}

func (in *session) hasPending() bool {
	in.batch.mu.Lock()
	defer in.batch.mu.Unlock()
	return in.batch.calls > 0
}

// batchFits says whether the channel takes what the batch holds.
func (in *session) batchFits() bool {
	in.batch.mu.Lock()
	emitted, bytes := in.batch.emitted, in.batch.bytes
	in.batch.mu.Unlock()
	return in.hasRoom(emitted, bytes)
}

func (in *session) waitSource(ctx context.Context) error {
	var done <-chan struct{}
	if in.flight != nil {
		done = in.flight.pending.Done()
	}
	in.noteWaits(in.hasPending(), in.flight != nil || in.batchFits())
	select {
	case <-in.source.events:
	case <-done:
	case <-in.wake:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// sourceFinished ends the source, stops it, or passes its fault on.
func (in *session) sourceFinished(ctx context.Context, cause error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case cause == io.EOF && in.isPermanent() && !in.readersEnded():
		return errAgain
	case cause == io.EOF || in.readersEnded():
		return in.end(ctx)
	case errors.Is(cause, errStopsWaiting):
		return cause
	case in.run.isDraining() && (errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded)):
		return nil
	}
	in.call = in.unitCall(in.step())
	return in.fail(ctx, cause)
}
