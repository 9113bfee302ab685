package task

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"penstock/dlq"
	"penstock/engine/internal/answer"
)

// ending is how far a stage has come with its end.
type ending struct {
	asked  bool   // a function answered io.EOF
	usedUp bool   // it ends because its inputs have ended
	hook   bool   // the end hook is under way
	cursor string // the last key it was called for, after cursorMark
}

// finish ends an idle instance that has come to its end, or that may stop.
func (t *Task) finish(ctx context.Context) (bool, error) {
	if !t.clean() {
		t.park()
		return t.Run.IsDraining() && (t.isBlocked() || t.waitsFor(commitUnit)), nil
	}
	switch {
	case t.ending.asked && t.isPermanent() && !t.inputsExhausted():
		return true, errAgain
	case t.ending.asked, t.inputsExhausted(), t.ReadersEnded():
		return true, t.end(ctx)
	case t.heldForEver():
		return false, t.divertHeld()
	case t.Run.IsDraining() && t.inputsQuiet():
		return true, nil
	}
	t.park()
	return false, nil
}

func (t *Task) inputsExhausted() bool {
	for _, i := range t.Inbox.Inputs {
		if i.peek() || !i.exhausted() {
			return false
		}
	}
	return true
}

// inputsQuiet reports whether the producers have stopped and nothing more can come from them, except messages that wait
// for something.
func (t *Task) inputsQuiet() bool {
	for _, i := range t.Inbox.Inputs {
		if i.Replays != nil && !i.peek() {
			continue // what comes now waits for the next run
		}
		if i.Producer != nil && !i.Producer.isStill() {
			return false
		}
		if i.peek() && !t.isOpen() && !t.mustWait(i, t.Run.Clock.Now()) || !i.hasHead && !i.caughtUp() {
			return false
		}
	}
	return true
}

// heldForEver reports whether the producers have ended, every input is exhausted or held, and no timer can change that.
func (t *Task) heldForEver() bool {
	if len(t.timers.due) > 0 || t.inputsExhausted() || t.hasWaiting() {
		return false
	}
	for _, i := range t.Inbox.Inputs {
		if i.Producer != nil && !i.Producer.hasEnded() || i.peek() && !i.held || !i.hasHead && !i.exhausted() {
			return false
		}
	}
	return true
}

// divertHeld makes a dead letter of the first message that nothing can release: it must not vanish, nor keep the
// pipeline from ending.
func (t *Task) divertHeld() error {
	for _, i := range t.Inbox.Inputs {
		if i.held {
			f, err := t.Failures.obtain(i.place())
			if err != nil {
				return answer.Fatal(err)
			}
			f.attempts = attempts{
				Unit:   i.Message(i.head.Offset),
				Reason: dlq.ReasonHeld,
				Error:  "held after every other input had ended",
				Final:  true,
			}
			i.held = false
			return errRewind
		}
	}
	return nil
}

// An end hook reads this many keys of the committed view at first, and twice as many each time, since each read costs
// more the larger the view is. Its bytes are bounded too.
const (
	endChunk = 4096
	endMost  = 64 << 10
	endBytes = 8 << 20
)

// end runs the end hook and commits the last frame. A stage that went on after its end and took nothing has run the
// hook before.
func (t *Task) end(ctx context.Context) error {
	control, _ := t.Committed.Last()
	t.ending.usedUp = len(t.Edges) > 0 && !t.ending.asked && t.inputsExhausted()
	if t.Processor.HasEnd() && !control.UsedUp {
		hook := t.endWhole
		if t.Definition.Keyed() {
			hook = t.endKeys
		}
		if err := hook(ctx); err != nil {
			return err
		}
	}
	t.ending.hook = false
	if err := t.publishAtLast(ctx, true); err != nil {
		return t.failEnd(ctx, err)
	}
	return t.Settle(ctx, true)
}

func (t *Task) endWhole(ctx context.Context) error {
	if err := t.callEnd(ctx, ""); err != nil {
		return err
	}
	t.Processor.Keeper().Boundary()
	return nil
}

// callEnd calls the end hook until it succeeds or fails. While it answers Unavailable the keys before this one are
// committed.
func (t *Task) callEnd(ctx context.Context, key string) error {
	for {
		err := t.tryEnd(ctx, key)
		switch {
		case err == nil:
			t.isBack(endUnit)
			return nil
		case errors.Is(err, errAbandoned):
			return err
		case !answer.IsUnavailable(err):
			return t.failEnd(ctx, err)
		}
		unit := t.call.unit
		if err := t.commitEndKeys(ctx, true); err != nil {
			return err
		}
		if err := t.awaitOther(ctx, endUnit, unit, err); err != nil {
			return err
		}
	}
}

func (t *Task) tryEnd(ctx context.Context, key string) error {
	t.call = t.unitCall("end:" + key)
	t.traceCall(nil)
	err := t.contained(ctx, func() error {
		return t.invoke(ctx, func() error {
			return t.undoneIfAway(func() error {
				err := t.Processor.CallEnd(ctx, key)
				if err == nil {
					err = t.checkEnd()
				}
				return err
			})
		})
	})
	if err == nil {
		err = t.passUnfit(ctx, t.call.name())
	}
	switch {
	case errors.Is(err, errAbandoned):
		return err
	case err != nil:
		t.traceFailed(err)
		return err
	}
	t.succeeded(t.call.unit)
	t.Batch.count()
	t.Batch.Calls++
	t.Batch.last = t.call
	t.Batch.begin(0)
	return nil
}

// checkEnd encodes the state that an end hook left. In a keyed stage, which may have many keys, it does so only after
// that has failed.
func (t *Task) checkEnd() error {
	keeper := t.Processor.Keeper()
	if !t.Definition.Keyed() {
		return errors.Join(keeper.Check(), keeper.Prepare())
	}
	if t.Failures.ofUnit.Unit == t.call.unit {
		return keeper.Check()
	}
	return nil
}

// failEnd ends the life after a failed end hook, since there is no message to go on with. A commit that is to be
// tried with fewer calls is no failure.
func (t *Task) failEnd(ctx context.Context, err error) error {
	unit := t.call.unit
	if failed := t.Fail(ctx, err); failed != nil {
		return failed
	}
	if errors.Is(err, errRewind) {
		return err
	}
	return fmt.Errorf("%s: %w", toldOf(unit), err)
}

// endKeys calls the end hook for every key in order. Each commit holds the last key that is done, so that a restart
// goes on there.
func (t *Task) endKeys(ctx context.Context) error {
	t.ending.hook = true
	offerer := t.Processor.Keeper().(interface {
		Offer(key string, value []byte)
	})
	from := ""
	if key, found := strings.CutPrefix(t.ending.cursor, cursorMark); found {
		from = after(key)
	}
	for most := endChunk; ; most = min(2*most, endMost) {
		keys, isAll, err := t.keysFrom(from, most)
		if err != nil {
			return t.escalate(err)
		}
		for _, k := range keys {
			offerer.Offer(k.key, k.value)
			if err := t.callEnd(ctx, k.key); err != nil {
				return err
			}
			t.ending.cursor = cursorMark + k.key
			if err := t.commitEndKeys(ctx, false); err != nil {
				return err
			}
		}
		if isAll {
			return t.commitEndKeys(ctx, true)
		}
		from = after(keys[len(keys)-1].key)
	}
}

// cursorMark stands before the last key that is done, since the empty string is a key too.
const cursorMark = "k"

// commitEndKeys publishes when the batch is full, or when it is the last.
func (t *Task) commitEndKeys(ctx context.Context, last bool) error {
	if t.Batch.Calls == 0 || !last && t.batchHasRoom() {
		return nil
	}
	if err := t.Settle(ctx, true); err != nil {
		return err
	}
	for !t.hasRoom(t.Batch.Emitted, t.Batch.Bytes) {
		select {
		case <-t.Wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := t.publishAtLast(ctx, false); err != nil {
		return t.failEnd(ctx, err)
	}
	if last {
		return t.Settle(ctx, true)
	}
	return nil
}

// after returns the smallest key that is greater.
func after(key string) string { return key + "\x00" }

var errEnough = errors.New("enough")
