package task

import (
	"context"
	"errors"
	"io"
)

// sourceLoop commits what the feeder produces.
func (t *Task) sourceLoop(ctx context.Context) error {
	if err := t.BeginFeeding(ctx); err != nil {
		return err
	}
	feedCtx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.feed(context.WithValue(feedCtx, feedKey{}, &t.Source.call))
	}()
	defer t.leaveFeeder(done)
	defer cancel()
	for ctx.Err() == nil {
		if t.Run.IsDraining() || t.ReadersEnded() {
			cancel()
		}
		if err := t.Settle(ctx, false); err != nil {
			return err
		}
		published, err := t.PublishProduced(ctx)
		if err != nil {
			cancel()
			if !t.leaveFeeder(done) {
				return errAbandoned
			}
			return t.Fail(ctx, err)
		}
		if published {
			continue
		}
		if finished, cause := t.AllCommitted(); finished {
			<-done
			return t.SourceFinished(ctx, cause)
		}
		t.park()
		if t.Run.IsDraining() && t.isBlocked() {
			return nil
		}
		if err := t.waitSource(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// BeginFeeding comes before the feeder starts.
func (t *Task) BeginFeeding(ctx context.Context) error {
	t.Source.finished, t.Source.err, t.Traces.calling = false, nil, false
	if err := t.hook(ctx, startUnit, t.Processor.Keeper().Prepare); err != nil {
		return t.Fail(ctx, err)
	}
	t.Processor.Keeper().Boundary()
	return nil
}

// PublishProduced commits what there is, unless a commit is under way, or the
// channel or the disk is full.
func (t *Task) PublishProduced(ctx context.Context) (bool, error) {
	if t.Flight != nil || !t.hasPending() || !t.batchFits() || t.Run.Space.isFull() {
		return false, nil
	}
	if err := t.publish(ctx, false); err != nil {
		return false, err
	}
	t.Source.makeRoom()
	return true, nil
}

// leaveFeeder waits until the feeder has ended. As long as the source's
// function does not return the task may be abandoned: then it is false.
func (t *Task) leaveFeeder(done <-chan struct{}) bool {
	t.Code.Guard.enter()
	<-done
	return t.Code.Guard.leave()
}

// AllCommitted says whether the feeder has finished, why, and that nothing is
// left to commit.
func (t *Task) AllCommitted() (finished bool, cause error) {
	t.Batch.mu.Lock()
	defer t.Batch.mu.Unlock()
	return t.Source.finished && t.Batch.Calls == 0 && t.Flight == nil, t.Source.err
}

func (t *Task) hasPending() bool {
	t.Batch.mu.Lock()
	defer t.Batch.mu.Unlock()
	return t.Batch.Calls > 0
}

// batchFits says whether the channel takes what the batch holds.
func (t *Task) batchFits() bool {
	t.Batch.mu.Lock()
	emitted, bytes := t.Batch.Emitted, t.Batch.Bytes
	t.Batch.mu.Unlock()
	return t.hasRoom(emitted, bytes)
}

func (t *Task) waitSource(ctx context.Context) error {
	var done <-chan struct{}
	if t.Flight != nil {
		done = t.Flight.pending.Done()
	}
	t.noteWaits(t.hasPending(), t.Flight != nil || t.batchFits())
	select {
	case <-t.Source.events:
	case <-done:
	case <-t.Wake:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// SourceFinished ends the source, stops it, or passes its fault on.
func (t *Task) SourceFinished(ctx context.Context, cause error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case cause == io.EOF && t.isPermanent() && !t.ReadersEnded():
		return errAgain
	case cause == io.EOF || t.ReadersEnded():
		return t.end(ctx)
	case errors.Is(cause, errStopsWaiting):
		return cause
	case t.Run.IsDraining() && (errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded)):
		return nil
	}
	t.call = t.unitCall(t.step())
	return t.Fail(ctx, cause)
}
