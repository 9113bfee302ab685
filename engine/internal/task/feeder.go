package task

import (
	"context"
	"fmt"
	"io"
	"time"

	"penstock/engine/faultpoint"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/inflight"
	"penstock/engine/internal/waits"
	"penstock/engine/supervise"
)

// feed calls the function until it fails, ends or ctx is done.
func (s *Source) feed(ctx context.Context) {
	b := s.Batch
	returned := false
	defer func() {
		if !returned { // by runtime.Goexit
			s.Code.watch.leave()
			b.mu.Lock()
			b.undo()
			s.isFinished, s.err = true, &supervise.PanicError{Value: supervise.ErrGoexit}
			b.mu.Unlock()
			signal(s.events)
		}
	}()
	for {
		err := s.waitForRoom(ctx)
		if err == nil {
			err = s.awaitSpace(ctx)
		}
		if err == nil {
			err = s.CallSource(ctx)
		}
		if answer.IsUnavailable(err) {
			err = s.awaitOther(ctx, sourceCall, sourceCall, err)
		}
		signal(s.events)
		if err != nil {
			s.Fed(err)
			returned = true
			return
		}
	}
}

// Fed says that the feeder has finished.
func (s *Source) Fed(err error) {
	s.Batch.mu.Lock()
	s.isFinished, s.err = true, err
	s.Batch.mu.Unlock()
	signal(s.events)
}

// CallSource makes one call of the function, which is then part of the batch or
// undone.
func (s *Source) CallSource(ctx context.Context) error {
	if err := s.awaitQuarantine(ctx); err != nil {
		return err
	}
	s.beginSourceCall()
	unsaved, err := s.runSource(ctx)
	b := s.Batch
	if b.CallErr != nil && (err == nil || err == io.EOF) {
		err = s.unsent(s.step(), b.CallErr)
	}
	if unsaved == nil && (err == nil || err == io.EOF) {
		if undone := s.beforeCounting(ctx); undone != nil {
			err = undone
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Traces.calling = false
	if err != nil && err != io.EOF {
		b.undo()
		if unsaved != nil {
			return fmt.Errorf("undo a call that returned %v: %w", err, unsaved)
		}
		if answer.IsUnavailable(err) {
			s.traceFailed(err)
		}
		return err
	}
	faultpoint.Hit(faultpoint.MidProcess, s.Definition.Name)
	if unsaved != nil {
		b.undo()
		return unsaved
	}
	s.countSourceCall()
	return err
}

func (s *Source) beginSourceCall() {
	s.Batch.mu.Lock()
	defer s.Batch.mu.Unlock()
	s.Batch.begin(0)
	s.calling = call{Attempt: 1}
	if s.Failures.ofUnit.Unit != "" {
		s.calling.Attempt = s.nextTry(s.step())
	}
	s.traceCalling()
}

// runSource runs the user's function and the state's codec. unsaved says that the
// state cannot be encoded, or, after Unavailable, not be brought back.
func (s *Source) runSource(ctx context.Context) (unsaved, err error) {
	start := time.Now()
	s.Code.watch.enterUnit(s.stepUnderWay())
	s.Waiting.feeding.Enter()
	s.Code.slot.Enter(inflight.Source, 0, s.steps, 1)
	err = s.reject(supervise.Contain(func() error { return s.Processor.CallSource(ctx) }))
	if err == nil || err == io.EOF {
		unsaved = encoding(s.Processor.Keeper().Prepare)
	}
	if answer.IsUnavailable(err) { // what it did to the state is undone
		unsaved = supervise.Contain(s.Processor.Keeper().ToBoundary)
	}
	s.Code.slot.Leave()
	if !s.Code.Custody.Abandoned() {
		s.Waiting.feeding.Leave()
	}
	s.Code.watch.leave()
	took := time.Since(start)
	s.Observed.Stats.Busy.Add(int64(took))
	s.Observed.measures.calls.Observe(took.Seconds(), 1)
	return unsaved, err
}

// countSourceCall makes the call part of the batch. It is called with the batch's
// lock held.
func (s *Source) countSourceCall() {
	s.Processor.Keeper().Boundary()
	if s.Failures.ofUnit.Unit != "" {
		s.succeeded(s.step())
	}
	s.isBack(sourceCall)
	s.Batch.count()
	s.Batch.Calls++
	s.Batch.taken++
	s.steps++
	s.Batch.begin(0)
}

// step names the call that a source is about to make.
func (t *Task) step() string { return fmt.Sprintf("step:%d", t.steps) }

// stepUnderWay is step where only a watchdog asks for it.
func (s *Source) stepUnderWay() string {
	if s.Code.watch.deadline == 0 {
		return ""
	}
	return s.step()
}

// beforeCounting comes when a call has returned and is not part of a commit yet.
func (s *Source) beforeCounting(ctx context.Context) error {
	if s.Batch.unfit.some() {
		if err := s.passUnfit(ctx, s.step()); err != nil {
			return err
		}
	}
	return s.waitForOthers(ctx)
}

// waitForOthers lets what was before a large call be committed without it:
// together they might not fit into one message of the server.
func (s *Source) waitForOthers(ctx context.Context) error {
	return s.awaitBatch(ctx, "the outputs before a large call are not committed yet", func(b *batch) bool {
		return b.Calls == 0 || b.Bytes+int(s.size.before.Load()) <= s.Format.Limits.Frame/2
	})
}

func (s *Source) waitForRoom(ctx context.Context) error {
	return s.awaitBatch(ctx, "it is full and not committed yet", func(b *batch) bool {
		return b.Bytes < s.Format.Limits.Batch && b.Calls < batchCalls && b.Emitted < s.Format.Capacity.Messages
	})
}

// awaitBatch waits until the loop has taken so much out of the batch that it is
// as it should be.
func (s *Source) awaitBatch(ctx context.Context, detail string, isFine func(*batch) bool) error {
	b, isNamed := s.Batch, false
	defer func() {
		if isNamed {
			s.Waiting.waits.End(waits.Batch)
		}
	}()
	for {
		b.mu.Lock()
		fine := isFine(b)
		b.mu.Unlock()
		if fine || ctx.Err() != nil {
			return ctx.Err()
		}
		s.Waiting.waits.Begin(waits.Batch, detail)
		isNamed = true
		select {
		case <-s.room:
		case <-ctx.Done():
		}
	}
}

// traceCalling comes before a call of a source's function. Finished calls go
// out at once when no commit is under way, so that this one belongs to the next
// frame.
func (s *Source) traceCalling() {
	tr := &s.Traces
	if tr.tracer == nil {
		return
	}
	tr.calling = true
	if now := tr.now.Load(); now != nil && s.Batch.Calls > 0 && tr.sent.Load() == nil && tr.finished.Load() == nil {
		tr.finished.Store(now)
		tr.now.Store(nil)
	}
	s.traceCall(nil)
	now := tr.now.Load()
	now.attempt = max(now.attempt, s.calling.Attempt)
}
