package task

import (
	"context"
	"fmt"
	"io"
	"time"

	"penstock/engine/faultpoint"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/inflight"
	"penstock/engine/supervise"
)

// feeder runs a source's function in a goroutine of its own, call after call,
// so that what the finished calls emitted is committed also while the next
// one blocks. Batch, state boundary and the fields below are shared with the
// loop under the batch's lock.
type feeder struct {
	events chan struct{} // a call ended
	room   chan struct{} // the loop took something out of the batch

	finished bool
	err      error // why it finished: io.EOF, a fault, or the context's
	call     call  // the function's goroutine's
}

func newFeeder() *feeder {
	return &feeder{events: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func (f *feeder) makeRoom() { signal(f.room) }

// feed calls the function until it fails, ends or ctx is done.
func (t *Task) feed(ctx context.Context) {
	f, b := t.Source, t.Batch
	returned := false
	defer func() {
		if !returned { // by runtime.Goexit
			t.Code.watch.leave()
			b.mu.Lock()
			b.undo()
			f.finished, f.err = true, &supervise.PanicError{Value: supervise.ErrGoexit}
			b.mu.Unlock()
			signal(f.events)
		}
	}()
	for {
		err := t.waitForRoom(ctx)
		if err == nil {
			err = t.awaitSpace(ctx)
		}
		if err == nil {
			err = t.CallSource(ctx)
		}
		if answer.IsUnavailable(err) {
			err = t.awaitOther(ctx, sourceCall, sourceCall, err)
		}
		signal(f.events)
		if err != nil {
			t.Fed(err)
			returned = true
			return
		}
	}
}

// Fed says that the feeder has finished.
func (t *Task) Fed(err error) {
	t.Batch.mu.Lock()
	t.Source.finished, t.Source.err = true, err
	t.Batch.mu.Unlock()
	signal(t.Source.events)
}

// CallSource makes one call of the function, which is then part of the batch or
// undone.
func (t *Task) CallSource(ctx context.Context) error {
	if err := t.awaitQuarantine(ctx); err != nil {
		return err
	}
	t.beginSourceCall()
	unsaved, err := t.runSource(ctx)
	b := t.Batch
	if b.CallErr != nil && (err == nil || err == io.EOF) {
		err = t.unsent(t.step(), b.CallErr)
	}
	if unsaved == nil && (err == nil || err == io.EOF) {
		if undone := t.beforeCounting(ctx); undone != nil {
			err = undone
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t.Traces.calling = false
	if err != nil && err != io.EOF {
		b.undo()
		if unsaved != nil {
			return fmt.Errorf("undo a call that returned %v: %w", err, unsaved)
		}
		if answer.IsUnavailable(err) {
			t.traceFailed(err)
		}
		return err
	}
	faultpoint.Hit(faultpoint.MidProcess, t.Definition.Name)
	if unsaved != nil {
		b.undo()
		return unsaved
	}
	t.countSourceCall()
	return err
}

func (t *Task) beginSourceCall() {
	t.Batch.mu.Lock()
	defer t.Batch.mu.Unlock()
	t.Batch.begin(0)
	t.Source.call = call{Attempt: 1}
	if t.Failures.ofUnit.Unit != "" {
		t.Source.call.Attempt = t.nextTry(t.step())
	}
	t.traceSourceCall()
}

// runSource runs the user's function and the state's codec. unsaved says that the
// state cannot be encoded, or, after Unavailable, not be brought back.
func (t *Task) runSource(ctx context.Context) (unsaved, err error) {
	start := time.Now()
	t.Code.watch.enterUnit(t.stepUnderWay())
	t.Waiting.feeding.enter()
	t.Code.slot.Enter(inflight.Source, 0, t.steps, 1)
	err = t.reject(supervise.Contain(func() error { return t.Processor.CallSource(ctx) }))
	if err == nil || err == io.EOF {
		unsaved = encoding(t.Processor.Keeper().Prepare)
	}
	if answer.IsUnavailable(err) { // what it did to the state is undone
		unsaved = supervise.Contain(t.Processor.Keeper().ToBoundary)
	}
	t.Code.slot.Leave()
	if !t.Code.Guard.Abandoned() {
		t.Waiting.feeding.leave()
	}
	t.Code.watch.leave()
	took := time.Since(start)
	t.Observed.Stats.Busy.Add(int64(took))
	t.Observed.measures.calls.Observe(took.Seconds(), 1)
	return unsaved, err
}

// countSourceCall makes the call part of the batch. It is called with the batch's
// lock held.
func (t *Task) countSourceCall() {
	t.Processor.Keeper().Boundary()
	if t.Failures.ofUnit.Unit != "" {
		t.succeeded(t.step())
	}
	t.isBack(sourceCall)
	t.Batch.count()
	t.Batch.Calls++
	t.Batch.taken++
	t.steps++
	t.Batch.begin(0)
}

// step names the call that a source is about to make.
func (t *Task) step() string { return fmt.Sprintf("step:%d", t.steps) }

// stepUnderWay is step where only a watchdog asks for it.
func (t *Task) stepUnderWay() string {
	if t.Code.watch.deadline == 0 {
		return ""
	}
	return t.step()
}

// beforeCounting comes when a call has returned and is not part of a commit yet.
func (t *Task) beforeCounting(ctx context.Context) error {
	if err := t.passUnfit(ctx, t.step()); err != nil {
		return err
	}
	return t.waitForOthers(ctx)
}

// waitForOthers lets what was before a large call be committed without it:
// together they might not fit into one message of the server.
func (t *Task) waitForOthers(ctx context.Context) error {
	return t.awaitBatch(ctx, "the outputs before a large call are not committed yet", func(b *batch) bool {
		return b.Calls == 0 || b.Bytes+int(t.size.before.Load()) <= t.Format.Limits.Frame/2
	})
}

func (t *Task) waitForRoom(ctx context.Context) error {
	return t.awaitBatch(ctx, "it is full and not committed yet", func(b *batch) bool {
		return b.Bytes < t.Format.Limits.Batch && b.Calls < batchCalls && b.Emitted < t.Format.Capacity.Messages
	})
}

// awaitBatch waits until the loop has taken so much out of the batch that it is
// as it should be.
func (t *Task) awaitBatch(ctx context.Context, detail string, isFine func(*batch) bool) error {
	b, waits := t.Batch, false
	defer func() {
		if waits {
			t.Waiting.waits.end(waitBatch)
		}
	}()
	for {
		b.mu.Lock()
		fine := isFine(b)
		b.mu.Unlock()
		if fine || ctx.Err() != nil {
			return ctx.Err()
		}
		t.Waiting.waits.begin(waitBatch, detail)
		waits = true
		select {
		case <-t.Source.room:
		case <-ctx.Done():
		}
	}
}
