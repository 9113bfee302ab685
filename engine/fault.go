package engine

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/supervise"
)

// afterExit makes up for what a function left undone that ended its goroutine
// by runtime.Goexit.
func (in *instance) afterExit(ctx context.Context) error {
	err := in.exited
	if err == nil {
		return nil
	}
	in.exited = nil
	if err := in.settle(ctx, true); err != nil {
		return err
	}
	if err := in.record(err); isFatal(err) {
		return in.escalate(err)
	}
	return nil
}

// fail decides what a failure means. nil: go on in this life.
func (in *instance) fail(ctx context.Context, err error) error {
	if errors.Is(err, errRewind) {
		if err := in.settle(ctx, true); err != nil {
			return err
		}
		return in.rollback()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isFatal(err) {
		return in.escalate(err)
	}
	if err := in.settle(ctx, true); err != nil {
		return err
	}
	if err = in.record(err); isFatal(err) {
		return in.escalate(err)
	}
	if err == nil {
		return in.rollback()
	}
	return err
}

// record counts a failure of the call at hand. nil: it was the last one, and
// the stage can go on at once; else the fault that this life ends with.
func (in *instance) record(err error) error {
	i, at := in.current, in.currentAt
	in.current = nil
	switch {
	case i == nil:
		if err := in.countCall(in.unit, err); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", in.unit, err)
	case in.batched > 1:
		i.suspect, i.cleared = at, at+uint64(in.batched)
		return fmt.Errorf("a batch of %d messages from %s: %w", in.batched, messageUnit(i, at), err)
	}
	if err := in.countMessage(messageUnit(i, at), err); err != nil {
		return err
	}
	in.failing, in.failingAt = i, at
	if in.attempts.Final {
		return nil
	}
	return fmt.Errorf("message %s, attempt %d of %d: %w", in.attempts.Unit, in.attempts.Count, in.definition.options.attempts, err)
}

func isFatal(err error) bool {
	var f *fatal
	return errors.As(err, &f) || supervise.IsEscalated(err) || errors.Is(err, channel.ErrStreamLost)
}

func (in *instance) escalate(err error) error {
	if supervise.IsEscalated(err) {
		return err
	}
	return supervise.Escalate(err)
}
