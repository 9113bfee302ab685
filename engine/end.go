package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"penstock/dlq"
)

// ending is how far a stage is that comes to its end.
type ending struct {
	asked  bool   // a function answered io.EOF
	usedUp bool   // it ends because its inputs have ended
	hook   bool   // the end hook is under way
	cursor string // the last key it was called for, after cursorMark
}

// finish looks whether an idle instance has come to its end, or may stop.
func (in *session) finish(ctx context.Context) (bool, error) {
	if !in.clean() {
		in.park()
		return in.run.isDraining() && (in.isBlocked() || in.waitsFor(commitUnit)), nil
	}
	switch {
	case in.ending.asked && in.isPermanent() && !in.inputsExhausted():
		return true, errAgain
	case in.ending.asked, in.inputsExhausted(), in.readersEnded():
		return true, in.end(ctx)
	case in.heldForEver():
		return false, in.divertHeld()
	case in.run.isDraining() && in.inputsQuiet():
		return true, nil
	}
	in.park()
	return false, nil
}

func (in *session) inputsExhausted() bool {
	for _, i := range in.inbox.inputs {
		if i.peek() || !i.exhausted() {
			return false
		}
	}
	return true
}

// inputsQuiet says that nothing more can come from producers that have
// stopped, but for messages that wait for something.
func (in *session) inputsQuiet() bool {
	for _, i := range in.inbox.inputs {
		if i.replays != nil && !i.peek() {
			continue // what comes now waits for the next run
		}
		if i.producer != nil && !i.producer.isStill() {
			return false
		}
		if i.peek() && !in.isOpen() && !in.mustWait(i, in.run.clock.Now()) || !i.hasHead && !i.caughtUp() {
			return false
		}
	}
	return true
}

// heldForEver says that the producers have ended, that every input is either
// exhausted or held, and that no timer is there to change that.
func (in *session) heldForEver() bool {
	if len(in.timers.due) > 0 || in.inputsExhausted() || in.hasWaiting() {
		return false
	}
	for _, i := range in.inbox.inputs {
		if i.producer != nil && !i.producer.hasEnded() || i.peek() && !i.held || !i.hasHead && !i.exhausted() {
			return false
		}
	}
	return true
}

// divertHeld gives the first message that nothing can release to the dead
// letters, so that it neither vanishes nor keeps the pipeline from ending.
func (in *session) divertHeld() error {
	for _, i := range in.inbox.inputs {
		if i.held {
			f, err := in.failures.obtain(i.place())
			if err != nil {
				return Fatal(err)
			}
			f.attempts = attempts{
				Unit:   messageUnit(i.definition, i.head.offset),
				Reason: dlq.ReasonHeld,
				Error:  "held when every other input had ended",
				Final:  true,
			}
			i.held = false
			return errRewind
		}
	}
	return nil
}

// An end hook looks at the committed view for so many keys at first, and for
// twice as many each time, since a look costs more the more there is in it; but
// for no more bytes.
const (
	endChunk = 4096
	endMost  = 64 << 10
	endBytes = 8 << 20
)

// end runs the end hook and commits the last frame. A stage that went on after
// its end, and took nothing, has run it.
func (in *session) end(ctx context.Context) error {
	control, _ := in.committed.Last()
	in.ending.usedUp = len(in.producers) > 0 && !in.ending.asked && in.inputsExhausted()
	if in.machine.hasEnd() && !control.UsedUp {
		hook := in.endWhole
		if in.definition.keyed() {
			hook = in.endKeys
		}
		if err := hook(ctx); err != nil {
			return err
		}
	}
	in.ending.hook = false
	if err := in.publishAtLast(ctx, true); err != nil {
		return in.failEnd(ctx, err)
	}
	return in.settle(ctx, true)
}

func (in *session) endWhole(ctx context.Context) error {
	if err := in.callEnd(ctx, ""); err != nil {
		return err
	}
	in.machine.keeper().Boundary()
	return nil
}

// callEnd calls the end hook until it succeeds or fails. While what it calls is
// unavailable the keys before this one are committed.
func (in *session) callEnd(ctx context.Context, key string) error {
	for {
		err := in.tryEnd(ctx, key)
		switch {
		case err == nil:
			in.isBack(endUnit)
			return nil
		case errors.Is(err, errAbandoned):
			return err
		case !isUnavailable(err):
			return in.failEnd(ctx, err)
		}
		unit := in.call.unit
		if err := in.commitEndKeys(ctx, true); err != nil {
			return err
		}
		if err := in.awaitOther(ctx, endUnit, unit, err); err != nil {
			return err
		}
	}
}

func (in *session) tryEnd(ctx context.Context, key string) error {
	in.call = in.unitCall("end:" + key)
	in.traceCall(nil)
	err := in.contained(ctx, func() error {
		return in.invoke(ctx, func() error {
			return in.undoneIfAway(func() error {
				err := in.machine.callEnd(ctx, key)
				if err == nil {
					err = in.checkEnd()
				}
				return err
			})
		})
	})
	if err == nil {
		err = in.passUnfit(ctx, in.call.name())
	}
	switch {
	case errors.Is(err, errAbandoned):
		return err
	case err != nil:
		in.traceFailed(err)
		return err
	}
	in.succeeded(in.call.unit)
	in.batch.calls++
	in.batch.last = in.call
	in.batch.begin(0)
	return nil
}

// checkEnd encodes what an end hook left, in a keyed stage only where that
// failed before: there are many keys.
func (in *session) checkEnd() error {
	keeper := in.machine.keeper()
	if !in.definition.keyed() {
		return errors.Join(keeper.Check(), keeper.Prepare())
	}
	if in.failures.ofUnit.Unit == in.call.unit {
		return keeper.Check()
	}
	return nil
}

// failEnd makes sure that a failed end hook is a fault of this life: there is
// no message to go on with. A commit that is to be made with fewer calls is no
// fault.
func (in *session) failEnd(ctx context.Context, err error) error {
	unit := in.call.unit
	if failed := in.fail(ctx, err); failed != nil {
		return failed
	}
	if errors.Is(err, errRewind) {
		return err
	}
	return fmt.Errorf("%s: %w", named(unit), err)
}

// endKeys calls the end hook for every key in order. How far it came is part
// of each commit, so that a restart goes on where it was.
func (in *session) endKeys(ctx context.Context) error {
	in.ending.hook = true
	offerer := in.machine.keeper().(interface {
		Offer(key string, value []byte)
	})
	from := ""
	if key, found := strings.CutPrefix(in.ending.cursor, cursorMark); found {
		from = after(key)
	}
	for most := endChunk; ; most = min(2*most, endMost) {
		keys, isAll, err := in.keysFrom(from, most)
		if err != nil {
			return in.escalate(err)
		}
		for _, k := range keys {
			offerer.Offer(k.key, k.value)
			if err := in.callEnd(ctx, k.key); err != nil {
				return err
			}
			in.ending.cursor = cursorMark + k.key
			if err := in.commitEndKeys(ctx, false); err != nil {
				return err
			}
		}
		if isAll {
			return in.commitEndKeys(ctx, true)
		}
		from = after(keys[len(keys)-1].key)
	}
}

// cursorMark stands before the last key that is done: the empty key is one too.
const cursorMark = "k"

// commitEndKeys publishes when the batch is full, or when it is the last.
func (in *session) commitEndKeys(ctx context.Context, last bool) error {
	if in.batch.calls == 0 || !last && in.batchHasRoom() {
		return nil
	}
	if err := in.settle(ctx, true); err != nil {
		return err
	}
	for !in.hasRoom(in.batch.emitted, in.batch.bytes) {
		select {
		case <-in.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := in.publishAtLast(ctx, false); err != nil {
		return in.failEnd(ctx, err)
	}
	if last {
		return in.settle(ctx, true)
	}
	return nil
}

// after is the smallest key that is greater.
func after(key string) string { return key + "\x00" }

var errEnough = errors.New("enough")

type keyAndValue struct {
	key   string
	value []byte
}

// keysFrom returns the next keys, and whether there are no more.
func (in *session) keysFrom(from string, most int) (keys []keyAndValue, isAll bool, err error) {
	bytes := 0
	err = in.committed.EachKey(from, func(key string, value []byte) error {
		keys = append(keys, keyAndValue{key, append([]byte(nil), value...)})
		if bytes += len(value); len(keys) == most || bytes > endBytes {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, false, fmt.Errorf("read the keys from %q: %w", from, err)
	}
	return keys, err == nil, nil
}
