package engine

import (
	"context"
	"errors"

	"penstock/engine/internal/answer"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// serve is one life of the stage: from its last commit to its end, a stop or a
// fault. It goes on in the task there is, or begins one.
func (in *instance) serve(ctx context.Context) error {
	if in.phase.isEnded() {
		return supervise.ErrDone
	}
	s := in.task.Load()
	if s == nil {
		var err error
		if s, err = in.newSession(ctx); err != nil {
			return in.openFailed(ctx, err)
		}
	}
	return s.serve(ctx)
}

// newTask takes the stage over from the task that was abandoned.
func (in *instance) newSession(ctx context.Context) (*task, error) {
	in.fault.left.inbox.stop()
	s := newTask(in)
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	s.sayResuming()
	s.startReaders()
	in.task.Store(s)
	in.log.Warn("the stage restarts without the function that hangs", "epoch", s.ownership.epoch)
	return s, nil
}

func (in *instance) openFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return supervise.Fatal(err)
}

// abandon leaves the present task behind, if it is in a function that does
// not return. It never blocks.
func (in *instance) abandon() bool {
	s := in.task.Load()
	if s == nil || !s.code.guard.abandon() {
		return false
	}
	in.observed.stats.count(func(c *observe.LifeCounts) { c.Abandoned++ })
	s.traces.leave(errLeft)
	s.giveTurn()
	in.fault.left = s
	in.waiting.waits.end(waitUnavailable)
	in.task.Store(nil)
	return true
}

func (t *task) serve(ctx context.Context) error {
	t.code.guard.begin()
	defer t.forgetOutages()
	t.phase.on(lifeBegins)
	defer t.endWaits()
	ctx = context.WithValue(t.traces.context(ctx), taskKey{}, t)
	err := t.start(ctx)
	if errors.Is(err, errOver) {
		return t.over()
	}
	if err == nil {
		supervise.Running(ctx)
		err = t.callLoop(ctx)
	}
	if t.code.guard.abandoned() {
		return ctx.Err()
	}
	if errors.Is(err, errStopsWaiting) {
		err = nil
	}
	if letterErr := t.delivered(ctx); err == nil {
		err = letterErr
	}
	if ctx.Err() != nil || errors.Is(err, errAgain) {
		t.traceUndone(nil)
	} else {
		t.traceUndone(err)
	}
	stopErr := t.hook(ctx, stopUnit, func() error { return t.processor.callStop(ctx) })
	switch {
	case errors.Is(stopErr, errAbandoned):
		return ctx.Err()
	case errors.Is(err, errLettersFull):
		t.log.Warn("the stage stops while the dead letters are full; the next run resumes with the message that has to be stored")
	case errors.Is(err, errAgain):
		if answer.IsUnavailable(stopErr) {
			t.log.Warn("the stop hook failed", "error", stopErr)
			stopErr = nil
		}
		return stopErr // a permanent stage: it is started again
	case err != nil:
		return err
	case stopErr != nil:
		t.log.Warn("the stop hook failed", "error", stopErr)
	}
	return t.over()
}

// over says that the stage commits nothing more in this run.
func (t *task) over() error {
	t.phase.on(lifeIsOver)
	t.run.pokeAll()
	t.run.endIfStuck()
	return supervise.ErrDone
}

// errOver says that a stage has ended: the life before was stopped while its last frame was under way, or another process
// ended it while a function hung.
var errOver = errors.New("the stage has ended")

// isPermanent says that io.EOF is no end.
func (in *instance) isPermanent() bool { return in.definition.Options.Policy == supervise.Permanent }

// errAgain ends a life of a permanent stage whose function answered io.EOF.
var errAgain = errors.New("ended, to be restarted")

func (t *task) start(ctx context.Context) error {
	if err := t.settle(ctx, true); err != nil { // what a stop left under way
		return err
	}
	if t.phase.isEnded() {
		return errOver
	}
	t.observed.stats.count(func(c *observe.LifeCounts) { c.Starts++ })
	if err := t.afterFault(); err != nil {
		return err
	}
	if err := t.handle(ctx); err != nil {
		return err
	}
	if err := t.goBack(ctx); err != nil {
		return err
	}
	if err := t.amend(); err != nil {
		return err
	}
	t.saveNews()
	return t.callStart(ctx)
}

// goBack is rollback, which calls the user's codec, where that can fail.
func (t *task) goBack(ctx context.Context) error {
	if err := t.hook(ctx, restoreUnit, t.rollback); err != nil {
		return t.fail(ctx, err)
	}
	t.succeeded(restoreUnit)
	return nil
}

func (t *task) callStart(ctx context.Context) error {
	err := t.unlessAway(ctx, startUnit, func() error {
		return t.undoneIfAway(func() error {
			if err := t.processor.callStart(ctx); err != nil || !t.processor.hasStart() {
				return err
			}
			return t.processor.keeper().Check() // else the first message would be blamed
		})
	})
	if err == nil {
		err = t.passUnfit(ctx, startUnit)
	}
	if err != nil {
		return t.fail(ctx, err)
	}
	t.batch.count()
	t.succeeded(startUnit)
	if t.batch.emitted > 0 {
		t.batch.calls++
		t.batch.last = t.call
	}
	return nil
}
