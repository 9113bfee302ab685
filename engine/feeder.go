package engine

import (
	"context"
	"fmt"
	"io"
	"time"

	"penstock/engine/faultpoint"
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
func (in *session) feed(ctx context.Context) {
	f, b := in.source, in.batch
	returned := false
	defer func() {
		if !returned { // by runtime.Goexit
			in.code.watch.leave()
			b.mu.Lock()
			b.undo()
			f.finished, f.err = true, &supervise.PanicError{Value: supervise.ErrGoexit}
			b.mu.Unlock()
			signal(f.events)
		}
	}()
	for {
		err := in.waitForRoom(ctx)
		if err == nil {
			err = in.awaitSpace(ctx)
		}
		if err == nil {
			err = in.callSource(ctx)
		}
		if isUnavailable(err) {
			err = in.awaitOther(ctx, sourceCall, sourceCall, err)
		}
		signal(f.events)
		if err != nil {
			in.fed(err)
			returned = true
			return
		}
	}
}

// fed says that the feeder has finished.
func (in *session) fed(err error) {
	in.batch.mu.Lock()
	in.source.finished, in.source.err = true, err
	in.batch.mu.Unlock()
	signal(in.source.events)
}

// callSource makes one call of the function, which is then part of the batch or
// undone.
func (in *session) callSource(ctx context.Context) error {
	if err := in.awaitCareful(ctx); err != nil {
		return err
	}
	in.beginSourceCall()
	unsaved, err := in.runSource(ctx)
	b := in.batch
	if b.callErr != nil && (err == nil || err == io.EOF) {
		err = in.unsent(in.step(), b.callErr)
	}
	if unsaved == nil && (err == nil || err == io.EOF) {
		if undone := in.beforeCounting(ctx); undone != nil {
			err = undone
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	in.traces.calling = false
	if err != nil && err != io.EOF {
		b.undo()
		if unsaved != nil {
			return fmt.Errorf("undo a call that answered that %v: %w", err, unsaved)
		}
		if isUnavailable(err) {
			in.traceFailed(err)
		}
		return err
	}
	faultpoint.Hit(faultpoint.MidProcess, in.definition.name)
	if unsaved != nil {
		b.undo()
		return unsaved
	}
	in.countSourceCall()
	return err
}

func (in *session) beginSourceCall() {
	in.batch.mu.Lock()
	defer in.batch.mu.Unlock()
	in.batch.begin(0)
	in.source.call = call{attempt: 1}
	if in.failures.ofUnit.Unit != "" {
		in.source.call.attempt = in.nextTry(in.step())
	}
	in.traceSourceCall()
}

// runSource runs the user's function and the state's codec. unsaved says that the
// state cannot be encoded, or, after Unavailable, not be brought back.
func (in *session) runSource(ctx context.Context) (unsaved, err error) {
	start := time.Now()
	in.code.watch.enterUnit(in.stepUnderWay())
	in.waiting.feeding.enter()
	in.code.slot.Enter(inflight.Source, 0, in.steps, 1)
	err = in.reject(supervise.Contain(func() error { return in.machine.callSource(ctx) }))
	if err == nil || err == io.EOF {
		unsaved = encoding(in.machine.keeper().Prepare)
	}
	if isUnavailable(err) { // what it did to the state is undone
		unsaved = supervise.Contain(in.machine.keeper().ToBoundary)
	}
	in.code.slot.Leave()
	if !in.code.hold.abandoned() {
		in.waiting.feeding.leave()
	}
	in.code.watch.leave()
	took := time.Since(start)
	in.observed.stats.Busy.Add(int64(took))
	in.observed.measures.calls.Observe(took.Seconds(), 1)
	return unsaved, err
}

// countSourceCall makes the call part of the batch. It is called with the batch's
// lock held.
func (in *session) countSourceCall() {
	in.machine.keeper().Boundary()
	if in.failures.ofUnit.Unit != "" {
		in.succeeded(in.step())
	}
	in.isBack(sourceCall)
	in.batch.calls++
	in.batch.taken++
	in.steps++
	in.batch.begin(0)
}

// step names the call that a source is about to make.
func (in *session) step() string { return fmt.Sprintf("step:%d", in.steps) }

// stepUnderWay is step where only a watchdog asks for it.
func (in *session) stepUnderWay() string {
	if in.code.watch.deadline == 0 {
		return ""
	}
	return in.step()
}

// beforeCounting comes when a call has returned and is not part of a commit yet.
func (in *session) beforeCounting(ctx context.Context) error {
	if err := in.passUnfit(ctx, in.step()); err != nil {
		return err
	}
	return in.waitForOthers(ctx)
}

// waitForOthers lets what was before a large call be committed without it:
// together they might not fit into one message of the server.
func (in *session) waitForOthers(ctx context.Context) error {
	return in.awaitBatch(ctx, "what was emitted before a large call is not committed", func(b *batch) bool {
		return b.calls == 0 || b.bytes+int(in.size.before.Load()) <= in.format.limits.frame/2
	})
}

func (in *session) waitForRoom(ctx context.Context) error {
	return in.awaitBatch(ctx, "it is full and not committed", func(b *batch) bool {
		return b.bytes < in.format.limits.batch && b.calls < batchCalls && b.emitted < in.format.capacity.Messages
	})
}

// awaitBatch waits until the loop has taken so much out of the batch that it is
// as it should be.
func (in *session) awaitBatch(ctx context.Context, detail string, isFine func(*batch) bool) error {
	b, waits := in.batch, false
	defer func() {
		if waits {
			in.waiting.waits.end(waitBatch)
		}
	}()
	for {
		b.mu.Lock()
		fine := isFine(b)
		b.mu.Unlock()
		if fine || ctx.Err() != nil {
			return ctx.Err()
		}
		in.waiting.waits.begin(waitBatch, detail)
		waits = true
		select {
		case <-in.source.room:
		case <-ctx.Done():
		}
	}
}
