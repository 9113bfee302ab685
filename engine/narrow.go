package engine

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

// narrow has fewer calls in the next commit. It is false when this one has only
// one, or is that of a source, whose calls do not wait for commits.
func (in *session) narrow() bool {
	if in.batch.calls <= 1 || in.source != nil {
		return false
	}
	in.batch.most = in.batch.calls / 2
	return true
}

// blame makes the last call the one at hand, which fails.
func (in *session) blame() {
	if in.batch.last.input != nil || in.batch.last.unit != "" {
		in.call = in.batch.last
	}
}

// unsaved answers a commit whose state cannot be encoded.
func (in *session) unsaved(err error) error {
	switch last := in.batch.last; {
	case errors.Is(err, errAbandoned), in.source != nil:
		return err
	case in.batch.calls > 1:
		if in.batch.most == batchCalls { // once for each search
			in.log.Warn("the state cannot be encoded: the stage goes back to find the message that left it so", "calls", in.batch.calls, "error", brief(err))
		}
		in.narrow()
		return errRewind
	case last.input == nil:
		in.blame()
	case !last.checked:
		last.input.alone, last.input.aloneAt = true, last.offset
		return errRewind
	case in.machine.hasBeforeCommit():
		return fmt.Errorf("what BeforeCommit left: %w", err)
	default: // the codec gave two answers
		in.blame()
	}
	return err
}

// check encodes the state that a call of messages left, if there is reason to.
// err is what the call answered, and what there is to say when nothing is wrong.
func (in *session) check(i *input, err error) error {
	if err != nil && err != io.EOF || in.batch.callErr != nil || !in.call.suspected && !in.code.turn.mayHarm() {
		return err
	}
	keeper := in.machine.keeper()
	unsaved := encoding(keeper.Check)
	switch {
	case unsaved == nil:
		in.call.checked = true
		return err
	case in.batch.calls > 0: // or one before it left the state so
		i.alone, i.aloneAt = true, in.call.offset
		in.calledNothing()
		return errRewind
	case supervise.Contain(func() error { return keeper.CheckBefore(in.committed) }) != nil:
		in.call = in.unitCall(commitUnit) // the codec refuses any state
	}
	return unsaved
}

// encoding calls the codec of the state. An error of its own says already that it
// comes from there.
func encoding(fn func() error) error {
	err := supervise.Contain(fn)
	var panicked *supervise.PanicError
	if errors.As(err, &panicked) {
		err = fmt.Errorf("encode the state: %w", err)
	}
	return err
}

// isSuspect says whether a message may leave a state that cannot be encoded, or
// whose encoding hangs.
func (in *session) isSuspect(i *input, at uint64, f *failure) bool {
	return f != nil || in.failures.checking > 0 || i.alone && i.aloneAt == at || i.suspect <= at && at < i.cleared
}
