package engine

import (
	"context"
	"errors"
	"io"
)

// sourceLoop commits what the feeder produces.
func (t *task) sourceLoop(ctx context.Context) error {
	if err := t.beginFeeding(ctx); err != nil {
		return err
	}
	feedCtx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.feed(context.WithValue(feedCtx, feedKey{}, &t.source.call))
	}()
	defer t.leaveFeeder(done)
	defer cancel()
	for ctx.Err() == nil {
		if t.run.isDraining() || t.readersEnded() {
			cancel()
		}
		if err := t.settle(ctx, false); err != nil {
			return err
		}
		published, err := t.publishProduced(ctx)
		if err != nil {
			cancel()
			if !t.leaveFeeder(done) {
				return errAbandoned
			}
			return t.fail(ctx, err)
		}
		if published {
			continue
		}
		if finished, cause := t.allCommitted(); finished {
			<-done
			return t.sourceFinished(ctx, cause)
		}
		t.park()
		if t.run.isDraining() && t.isBlocked() {
			return nil
		}
		if err := t.waitSource(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// beginFeeding comes before the feeder starts.
func (t *task) beginFeeding(ctx context.Context) error {
	t.source.finished, t.source.err, t.traces.calling = false, nil, false
	if err := t.hook(ctx, startUnit, t.processor.keeper().Prepare); err != nil {
		return t.fail(ctx, err)
	}
	t.processor.keeper().Boundary()
	return nil
}

// publishProduced commits what there is, unless a commit is under way, or the
// channel or the disk is full.
func (t *task) publishProduced(ctx context.Context) (bool, error) {
	if t.flight != nil || !t.hasPending() || !t.batchFits() || t.run.space.isFull() {
		return false, nil
	}
	if err := t.publish(ctx, false); err != nil {
		return false, err
	}
	t.source.makeRoom()
	return true, nil
}

// leaveFeeder waits until the feeder has ended. As long as the source's
// function does not return the task may be abandoned: then it is false.
func (t *task) leaveFeeder(done <-chan struct{}) bool {
	t.code.guard.enter()
	<-done
	return t.code.guard.leave()
}

// allCommitted says whether the feeder has finished, why, and that nothing is
// left to commit.
func (t *task) allCommitted() (finished bool, cause error) {
	t.batch.mu.Lock()
	defer t.batch.mu.Unlock()
	return t.source.finished && t.batch.calls == 0 && t.flight == nil, t.source.err
}

func (t *task) hasPending() bool {
	t.batch.mu.Lock()
	defer t.batch.mu.Unlock()
	return t.batch.calls > 0
}

// batchFits says whether the channel takes what the batch holds.
func (t *task) batchFits() bool {
	t.batch.mu.Lock()
	emitted, bytes := t.batch.emitted, t.batch.bytes
	t.batch.mu.Unlock()
	return t.hasRoom(emitted, bytes)
}

func (t *task) waitSource(ctx context.Context) error {
	var done <-chan struct{}
	if t.flight != nil {
		done = t.flight.pending.Done()
	}
	t.noteWaits(t.hasPending(), t.flight != nil || t.batchFits())
	select {
	case <-t.source.events:
	case <-done:
	case <-t.wake:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// sourceFinished ends the source, stops it, or passes its fault on.
func (t *task) sourceFinished(ctx context.Context, cause error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case cause == io.EOF && t.isPermanent() && !t.readersEnded():
		return errAgain
	case cause == io.EOF || t.readersEnded():
		return t.end(ctx)
	case errors.Is(cause, errStopsWaiting):
		return cause
	case t.run.isDraining() && (errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded)):
		return nil
	}
	t.call = t.unitCall(t.step())
	return t.fail(ctx, cause)
}
