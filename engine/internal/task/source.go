package task

import (
	"context"
	"errors"
	"io"
)

// Source is the role of a stage without inputs. Its function runs in a goroutine of its own, the feeder, call after
// call, so that what the finished calls emitted is committed also while the next one blocks. The batch, the state's
// boundary and the fields below are shared with the loop under the batch's lock.
type Source struct {
	*Task
	events chan struct{} // a call ended
	room   chan struct{} // the loop took something out of the batch

	isFinished bool
	err        error // why the feeder finished: io.EOF, a fault, or the context's
	calling    call  // the function's
}

func newSource(t *Task) *Source {
	return &Source{Task: t, events: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func (s *Source) makeRoom() { signal(s.room) }

// loop commits what the feeder produces.
func (s *Source) loop(ctx context.Context) error {
	if err := s.BeginFeeding(ctx); err != nil {
		return err
	}
	feedCtx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.feed(context.WithValue(feedCtx, feedKey{}, &s.calling))
	}()
	defer s.leaveFeeder(done)
	defer cancel()
	for ctx.Err() == nil {
		if s.Run.IsDraining() || s.ReadersEnded() {
			cancel()
		}
		if err := s.Settle(ctx, false); err != nil {
			return err
		}
		published, err := s.PublishProduced(ctx)
		if err != nil {
			cancel()
			if !s.leaveFeeder(done) {
				return errAbandoned
			}
			return s.Fail(ctx, err)
		}
		if published {
			continue
		}
		if finished, cause := s.AllCommitted(); finished {
			<-done
			return s.SourceFinished(ctx, cause)
		}
		s.park()
		if s.Run.IsDraining() && s.isBlocked() {
			return nil
		}
		if err := s.waitSource(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// BeginFeeding comes before the feeder starts.
func (s *Source) BeginFeeding(ctx context.Context) error {
	s.isFinished, s.err, s.Traces.calling = false, nil, false
	if err := s.hook(ctx, startUnit, s.Processor.Keeper().Prepare); err != nil {
		return s.Fail(ctx, err)
	}
	s.Processor.Keeper().Boundary()
	return nil
}

// PublishProduced commits what there is, unless a commit is under way, or the
// channel or the disk is full.
func (s *Source) PublishProduced(ctx context.Context) (bool, error) {
	if s.Txn != nil || !s.hasPending() || !s.batchFits() || s.Run.Space.IsFull() {
		return false, nil
	}
	if err := s.publish(ctx, false); err != nil {
		return false, err
	}
	s.makeRoom()
	return true, nil
}

// leaveFeeder waits until the feeder has ended. As long as the source's
// function does not return the task may be abandoned: then it is false.
func (s *Source) leaveFeeder(done <-chan struct{}) bool {
	s.Code.Custody.enter()
	<-done
	return s.Code.Custody.leave()
}

// AllCommitted says whether the feeder has finished, why, and that nothing is
// left to commit.
func (s *Source) AllCommitted() (finished bool, cause error) {
	s.Batch.mu.Lock()
	defer s.Batch.mu.Unlock()
	return s.isFinished && s.Batch.Calls == 0 && s.Txn == nil, s.err
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

func (s *Source) waitSource(ctx context.Context) error {
	s.noteWaits(s.hasPending(), s.Txn != nil || s.batchFits())
	select {
	case <-s.events:
	case <-s.Txn.answered():
	case <-s.Wake:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// SourceFinished ends the source, stops it, or passes its fault on.
func (s *Source) SourceFinished(ctx context.Context, cause error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case cause == io.EOF && s.isPermanent() && !s.ReadersEnded():
		return errAgain
	case cause == io.EOF || s.ReadersEnded():
		return s.end(ctx)
	case errors.Is(cause, errStopsWaiting):
		return cause
	case s.Run.IsDraining() && (errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded)):
		return nil
	}
	s.call = s.unitCall(s.step())
	return s.Fail(ctx, cause)
}
