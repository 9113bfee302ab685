package task

import (
	"context"
	"errors"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/waits"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// serve is one life of the stage: from its last commit to its end, a stop or a
// fault. It goes on in the task there is, or begins one.
func (in *Instance) serve(ctx context.Context) error {
	if in.Phase.IsEnded() {
		return supervise.ErrDone
	}
	err := in.life(ctx)
	var lost ownershipLost
	if errors.As(err, &lost) && lost.by == in {
		return in.takenOver(lost.FencedError)
	}
	return err
}

// life is one life, before serve looks at how it ended.
func (in *Instance) life(ctx context.Context) error {
	s := in.Task.Load()
	if s == nil {
		var err error
		if s, err = in.newSession(ctx); err != nil {
			return in.openFailed(ctx, err)
		}
	}
	return s.Serve(ctx)
}

// newSession takes the stage over from the task that was abandoned.
func (in *Instance) newSession(ctx context.Context) (*Task, error) {
	in.Fault.left.Inbox.stop()
	s := NewTask(in)
	if err := s.Open(ctx); err != nil {
		return nil, err
	}
	s.SayResuming()
	s.StartReaders()
	in.Task.Store(s)
	in.Log.Warn("the stage restarts without the function that hangs", "epoch", s.Ownership.Epoch)
	return s, nil
}

func (in *Instance) openFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return supervise.Fatal(err)
}

// Abandon leaves the present task behind, if it is in a function that does
// not return. It never blocks.
func (in *Instance) Abandon() bool {
	s := in.Task.Load()
	if s == nil || !s.Code.Custody.abandon() {
		return false
	}
	in.Observed.Stats.count(func(c *observe.LifeCounts) { c.Abandoned++ })
	s.Traces.Leave(errLeft)
	s.giveTurn()
	in.Fault.left = s
	in.Waiting.waits.End(waits.Unavailable)
	in.Task.Store(nil)
	return true
}

func (t *Task) Serve(ctx context.Context) error {
	t.Code.Custody.Begin()
	defer t.forgetOutages()
	t.Phase.On(LifeBegins)
	defer t.endWaits()
	ctx = context.WithValue(t.Traces.context(ctx), TaskKey{}, t)
	err := t.Start(ctx)
	if errors.Is(err, ErrOver) {
		return t.over()
	}
	if err == nil {
		supervise.Running(ctx)
		err = t.callLoop(ctx)
	}
	if t.Code.Custody.Abandoned() {
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
	stopErr := t.hook(ctx, stopUnit, func() error { return t.Processor.CallStop(ctx) })
	switch {
	case errors.Is(stopErr, errAbandoned):
		return ctx.Err()
	case errors.Is(err, errLettersFull):
		t.Log.Warn("the stage stops while the dead letters are full; the next run resumes with the message that has to be stored")
	case errors.Is(err, errAgain):
		if answer.IsUnavailable(stopErr) {
			t.Log.Warn("the stop hook failed", "error", stopErr)
			stopErr = nil
		}
		return stopErr // a permanent stage: it is started again
	case err != nil:
		return err
	case stopErr != nil:
		t.Log.Warn("the stop hook failed", "error", stopErr)
	}
	return t.over()
}

// over says that the stage commits nothing more in this run.
func (t *Task) over() error {
	t.Phase.On(LifeIsOver)
	t.Run.PokeAll()
	t.Run.endIfStuck()
	return supervise.ErrDone
}

// ErrOver says that a stage has ended: the life before was stopped while its last frame was under way, or another
// process ended it while a function hung.
var ErrOver = errors.New("the stage has ended")

// isPermanent says that io.EOF is no end.
func (in *Instance) isPermanent() bool { return in.Definition.Options.Policy == supervise.Permanent }

// errAgain ends a life of a permanent stage whose function answered io.EOF.
var errAgain = errors.New("ended, to be restarted")

func (t *Task) Start(ctx context.Context) error {
	if err := t.Settle(ctx, true); err != nil { // what a stop left under way
		return err
	}
	if t.Phase.IsEnded() {
		return ErrOver
	}
	t.Observed.Stats.count(func(c *observe.LifeCounts) { c.Starts++ })
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
func (t *Task) goBack(ctx context.Context) error {
	if err := t.hook(ctx, restoreUnit, t.rollback); err != nil {
		return t.Fail(ctx, err)
	}
	t.succeeded(restoreUnit)
	return nil
}

func (t *Task) callStart(ctx context.Context) error {
	err := t.unlessAway(ctx, startUnit, func() error {
		return t.undoneIfAway(func() error {
			if err := t.Processor.CallStart(ctx); err != nil || !t.Processor.HasStart() {
				return err
			}
			return t.Processor.Keeper().Check() // else the first message would be blamed
		})
	})
	if err == nil {
		err = t.passUnfit(ctx, startUnit)
	}
	if err != nil {
		return t.Fail(ctx, err)
	}
	t.Batch.count()
	t.succeeded(startUnit)
	if t.Batch.Emitted > 0 {
		t.Batch.Calls++
		t.Batch.last = t.call
	}
	return nil
}
