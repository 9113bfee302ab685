package task

import (
	"errors"
	"fmt"
	"io"

	"penstock/engine/supervise"
)

// A commit that cannot be made, because the codec refuses the state or because
// it would be too large, may hold many calls, and one of them is the cause. The
// stage goes back and commits half as many, until a commit holds one call.
//
// A message whose call left a state that cannot be encoded then comes once more,
// alone, and its state is encoded right after the call: so it fails at its own
// call like any other, with its attempts, AttemptDelay and letter.

// blame makes the last call the one at hand, which fails.
func (t *Task) blame() {
	if t.Batch.last.input != nil || t.Batch.last.unit != "" {
		t.call = t.Batch.last
	}
}

// check encodes the state that a call of messages left, if there is reason to.
// err is what the call answered, and what there is to say when nothing is wrong.
func (t *Task) check(i *Input, err error) error {
	if err != nil && err != io.EOF || t.Batch.CallErr != nil || !t.call.suspected && !t.Code.turn.mayHarm() {
		return err
	}
	keeper := t.Processor.Keeper()
	unsaved := encoding(keeper.Check)
	switch {
	case unsaved == nil:
		t.call.checked = true
		return err
	case t.Batch.Calls > 0: // or one before it left the state so
		i.alone, i.aloneAt = true, t.call.offset
		t.calledNothing()
		return errRewind
	case supervise.Contain(func() error { return keeper.CheckBefore(t.Committed) }) != nil:
		t.call = t.unitCall(commitUnit) // the codec refuses any state
	}
	return unsaved
}

// encoding calls the codec of the state. An error of its own says already that it
// comes from there.
func encoding(fn func() error) error {
	err := supervise.Contain(fn)
	if err == nil {
		return nil
	}
	var panicked *supervise.PanicError
	if errors.As(err, &panicked) {
		err = fmt.Errorf("encode the state: %w", err)
	}
	return err
}

// isSuspect says whether the head of an input may leave a state that cannot be
// encoded, or whose encoding hangs.
func (t *Task) isSuspect(i *Input, f *Failure) bool {
	at := i.head.Offset
	return f != nil || t.Failures.checking > 0 || i.alone && i.aloneAt == at || i.suspect <= at && at < i.cleared
}
