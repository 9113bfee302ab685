package engine

import (
	"context"
	"errors"

	"penstock/engine/supervise"
)

// serve is one life of the stage: from its last commit to its end, a stop or a
// fault. It goes on in the session there is, or begins one.
func (in *instance) serve(ctx context.Context) error {
	if in.phase.isEnded() {
		return supervise.ErrDone
	}
	s := in.session.Load()
	if s == nil {
		var err error
		if s, err = in.newSession(ctx); err != nil {
			return in.openFailed(ctx, err)
		}
	}
	return s.serve(ctx)
}

// newSession takes the stage over from the session that was abandoned.
func (in *instance) newSession(ctx context.Context) (*session, error) {
	in.fault.left.inbox.stop()
	s := newSession(in)
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	s.startReaders()
	in.session.Store(s)
	in.log.Warn("the stage goes on without the function that hangs", "epoch", s.ownership.epoch)
	return s, nil
}

func (in *instance) openFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return supervise.Fatal(err)
}

// abandon leaves the present session behind, if it is in a function that does
// not return. It never blocks.
func (in *instance) abandon() bool {
	s := in.session.Load()
	if s == nil || !s.code.hold.abandon() {
		return false
	}
	in.observed.stats.Abandoned.Add(1)
	s.traces.leave(errLeft)
	s.giveTurn()
	in.fault.left = s
	in.waiting.waits.end(waitUnavailable)
	in.session.Store(nil)
	return true
}

func (in *session) serve(ctx context.Context) error {
	in.code.hold.begin()
	defer in.forgetOutages()
	in.phase.on(lifeBegins)
	defer in.endWaits()
	ctx = context.WithValue(in.traces.context(ctx), sessionKey{}, in)
	err := in.start(ctx)
	if errors.Is(err, errOver) {
		return in.over()
	}
	if err == nil {
		supervise.Running(ctx)
		err = in.callLoop(ctx)
	}
	if in.code.hold.abandoned() {
		return ctx.Err()
	}
	if errors.Is(err, errStopsWaiting) {
		err = nil
	}
	if letterErr := in.delivered(ctx); err == nil {
		err = letterErr
	}
	if ctx.Err() != nil || errors.Is(err, errAgain) {
		in.traceUndone(nil)
	} else {
		in.traceUndone(err)
	}
	stopErr := in.hook(ctx, stopUnit, func() error { return in.machine.callStop(ctx) })
	switch {
	case errors.Is(stopErr, errAbandoned):
		return ctx.Err()
	case errors.Is(err, errLettersFull):
		in.log.Warn("the stage stops while the dead letters are full; the next run goes on with the message that is to be kept")
	case errors.Is(err, errAgain):
		if isUnavailable(stopErr) {
			in.log.Warn("the stop hook failed", "error", stopErr)
			stopErr = nil
		}
		return stopErr // a permanent stage: it is started again
	case err != nil:
		return err
	case stopErr != nil:
		in.log.Warn("the stop hook failed", "error", stopErr)
	}
	return in.over()
}

// over says that the stage commits nothing more in this run.
func (in *session) over() error {
	in.phase.on(lifeIsOver)
	in.run.pokeAll()
	in.run.endIfStuck()
	return supervise.ErrDone
}

// errOver says that a stage has ended: the life before was stopped while its last frame was under way, or another process
// ended it while a function hung.
var errOver = errors.New("the stage has ended")

// isPermanent says that io.EOF is no end.
func (in *instance) isPermanent() bool { return in.definition.options.policy == supervise.Permanent }

// errAgain ends a life of a permanent stage whose function answered io.EOF.
var errAgain = errors.New("ended, to be started again")

func (in *session) start(ctx context.Context) error {
	if err := in.settle(ctx, true); err != nil { // what a stop left under way
		return err
	}
	if in.phase.isEnded() {
		return errOver
	}
	in.observed.stats.Starts.Add(1)
	if err := in.afterFault(); err != nil {
		return err
	}
	if err := in.handle(ctx); err != nil {
		return err
	}
	if err := in.goBack(ctx); err != nil {
		return err
	}
	if err := in.amend(); err != nil {
		return err
	}
	in.saveNews()
	return in.callStart(ctx)
}

// goBack is rollback, which calls the user's codec, where that can fail.
func (in *session) goBack(ctx context.Context) error {
	if err := in.hook(ctx, restoreUnit, in.rollback); err != nil {
		return in.fail(ctx, err)
	}
	in.succeeded(restoreUnit)
	return nil
}

func (in *session) callStart(ctx context.Context) error {
	err := in.unlessAway(ctx, startUnit, func() error {
		return in.undoneIfAway(func() error {
			if err := in.machine.callStart(ctx); err != nil || !in.machine.hasStart() {
				return err
			}
			return in.machine.keeper().Check() // else the first message would be blamed
		})
	})
	if err == nil {
		err = in.passUnfit(ctx, startUnit)
	}
	if err != nil {
		return in.fail(ctx, err)
	}
	in.succeeded(startUnit)
	if in.batch.emitted > 0 {
		in.batch.calls++
		in.batch.last = in.call
	}
	return nil
}
