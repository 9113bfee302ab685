package engine

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
func (t *task) feed(ctx context.Context) {
	f, b := t.source, t.batch
	returned := false
	defer func() {
		if !returned { // by runtime.Goexit
			t.code.watch.leave()
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
			err = t.callSource(ctx)
		}
		if answer.IsUnavailable(err) {
			err = t.awaitOther(ctx, sourceCall, sourceCall, err)
		}
		signal(f.events)
		if err != nil {
			t.fed(err)
			returned = true
			return
		}
	}
}

// fed says that the feeder has finished.
func (t *task) fed(err error) {
	t.batch.mu.Lock()
	t.source.finished, t.source.err = true, err
	t.batch.mu.Unlock()
	signal(t.source.events)
}

// callSource makes one call of the function, which is then part of the batch or
// undone.
func (t *task) callSource(ctx context.Context) error {
	if err := t.awaitQuarantine(ctx); err != nil {
		return err
	}
	t.beginSourceCall()
	unsaved, err := t.runSource(ctx)
	b := t.batch
	if b.callErr != nil && (err == nil || err == io.EOF) {
		err = t.unsent(t.step(), b.callErr)
	}
	if unsaved == nil && (err == nil || err == io.EOF) {
		if undone := t.beforeCounting(ctx); undone != nil {
			err = undone
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t.traces.calling = false
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
	faultpoint.Hit(faultpoint.MidProcess, t.definition.Name)
	if unsaved != nil {
		b.undo()
		return unsaved
	}
	t.countSourceCall()
	return err
}

func (t *task) beginSourceCall() {
	t.batch.mu.Lock()
	defer t.batch.mu.Unlock()
	t.batch.begin(0)
	t.source.call = call{attempt: 1}
	if t.failures.ofUnit.Unit != "" {
		t.source.call.attempt = t.nextTry(t.step())
	}
	t.traceSourceCall()
}

// runSource runs the user's function and the state's codec. unsaved says that the
// state cannot be encoded, or, after Unavailable, not be brought back.
func (t *task) runSource(ctx context.Context) (unsaved, err error) {
	start := time.Now()
	t.code.watch.enterUnit(t.stepUnderWay())
	t.waiting.feeding.enter()
	t.code.slot.Enter(inflight.Source, 0, t.steps, 1)
	err = t.reject(supervise.Contain(func() error { return t.processor.callSource(ctx) }))
	if err == nil || err == io.EOF {
		unsaved = encoding(t.processor.keeper().Prepare)
	}
	if answer.IsUnavailable(err) { // what it did to the state is undone
		unsaved = supervise.Contain(t.processor.keeper().ToBoundary)
	}
	t.code.slot.Leave()
	if !t.code.guard.abandoned() {
		t.waiting.feeding.leave()
	}
	t.code.watch.leave()
	took := time.Since(start)
	t.observed.stats.Busy.Add(int64(took))
	t.observed.measures.calls.Observe(took.Seconds(), 1)
	return unsaved, err
}

// countSourceCall makes the call part of the batch. It is called with the batch's
// lock held.
func (t *task) countSourceCall() {
	t.processor.keeper().Boundary()
	if t.failures.ofUnit.Unit != "" {
		t.succeeded(t.step())
	}
	t.isBack(sourceCall)
	t.batch.count()
	t.batch.calls++
	t.batch.taken++
	t.steps++
	t.batch.begin(0)
}

// step names the call that a source is about to make.
func (t *task) step() string { return fmt.Sprintf("step:%d", t.steps) }

// stepUnderWay is step where only a watchdog asks for it.
func (t *task) stepUnderWay() string {
	if t.code.watch.deadline == 0 {
		return ""
	}
	return t.step()
}

// beforeCounting comes when a call has returned and is not part of a commit yet.
func (t *task) beforeCounting(ctx context.Context) error {
	if err := t.passUnfit(ctx, t.step()); err != nil {
		return err
	}
	return t.waitForOthers(ctx)
}

// waitForOthers lets what was before a large call be committed without it:
// together they might not fit into one message of the server.
func (t *task) waitForOthers(ctx context.Context) error {
	return t.awaitBatch(ctx, "the outputs before a large call are not committed yet", func(b *batch) bool {
		return b.calls == 0 || b.bytes+int(t.size.before.Load()) <= t.format.limits.frame/2
	})
}

func (t *task) waitForRoom(ctx context.Context) error {
	return t.awaitBatch(ctx, "it is full and not committed yet", func(b *batch) bool {
		return b.bytes < t.format.limits.batch && b.calls < batchCalls && b.emitted < t.format.capacity.Messages
	})
}

// awaitBatch waits until the loop has taken so much out of the batch that it is
// as it should be.
func (t *task) awaitBatch(ctx context.Context, detail string, isFine func(*batch) bool) error {
	b, waits := t.batch, false
	defer func() {
		if waits {
			t.waiting.waits.end(waitBatch)
		}
	}()
	for {
		b.mu.Lock()
		fine := isFine(b)
		b.mu.Unlock()
		if fine || ctx.Err() != nil {
			return ctx.Err()
		}
		t.waiting.waits.begin(waitBatch, detail)
		waits = true
		select {
		case <-t.source.room:
		case <-ctx.Done():
		}
	}
}
