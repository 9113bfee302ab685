package task

import (
	"fmt"
	"sync/atomic"

	"penstock/engine/frame"
	"penstock/engine/internal/answer"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// A state is part of one message of the server, so its size has a limit. If one message makes a small state too large,
// that message has failed. A state that has grown over time would make every later message fail, and none of them is to
// blame. So a warning is given from half the limit on, and above that no message is blamed: a stage without keys stops;
// in a stage with keys the messages of that key become dead letters, and the other keys go on.

// stateSize is what a task knows about the size of its states.
type stateSize struct {
	before atomic.Int64    // of an unkeyed stage: in the last commit, as it counts toward the limit
	large  map[string]bool // states of more than half the limit; that of an unkeyed stage has the key ""
}

// maxLarge bounds the keys that are known to be large. Further ones are not reported.
const maxLarge = 100

// tooLarge handles a commit that does not fit into one message of the server: the next try has fewer calls, or the one
// call that is in it has failed.
func (t *Task) tooLarge(f *frame.Frame, size int) error {
	if t.role.narrow() {
		return errRewind
	}
	state, outputs := sizeOf(f)
	err := &TooLargeError{Stage: t.Definition.Name, Size: max(size, state+outputs), State: state, Limit: t.Format.Limits.Frame}
	if f.State.Kind == frame.StateKeyed && len(f.State.Changes) == 1 {
		err.Key = f.State.Changes[0].Key
	}
	if f.State.Kind == frame.StateWhole && t.isLarge(int(t.size.before.Load())) {
		return answer.Fatal(&StateTooLargeError{Stage: err.Stage, Size: state, Outputs: outputs, Limit: err.Limit})
	}
	return t.role.tooLarge(err)
}

// sizeOf returns how many bytes of a frame are state, and how many are outputs.
func sizeOf(f *frame.Frame) (state, outputs int) {
	state = len(f.State.Whole)
	for k := range f.State.Changes {
		state += len(f.State.Changes[k].Key) + len(f.State.Changes[k].Value)
	}
	for d := range f.Sections {
		outputs += f.Sections[d].Len()
	}
	return state, outputs
}

// isLarge says that a state takes more than half of what a commit holds.
func (in *Instance) isLarge(size int) bool { return size > in.Format.Limits.Frame/2 }

// noteSize notes how large the states in a commit are.
func (t *Task) noteSize(x *txn) {
	s := &x.frame.State
	scale := func(size int) int { return size }
	if t.Format.options.Compression != frame.None {
		state, outputs := sizeOf(&x.frame)
		scale = func(size int) int { return int(int64(size) * int64(len(x.data)) / int64(state+outputs+1)) }
	}
	if s.Kind == frame.StateWhole {
		size := scale(len(s.Whole))
		t.size.before.Store(int64(size))
		t.noteLarge("", size)
	}
	for k := range s.Changes {
		if change := &s.Changes[k]; len(t.size.large) > 0 || t.isLarge(len(change.Value)) {
			t.noteLarge(change.Key, scale(len(change.Value)))
		}
	}
}

// noteLarge reports a state that has become large, and one that is no longer large.
func (t *Task) noteLarge(key string, size int) {
	is := t.isLarge(size)
	if is == t.size.large[key] || is && len(t.size.large) == maxLarge {
		return
	}
	if t.size.large == nil {
		t.size.large = map[string]bool{}
	}
	whose := ""
	if t.Definition.Keyed() {
		whose = fmt.Sprintf(" of key %.100q", key)
	}
	detail := fmt.Sprintf("the state%s has %d bytes, more than half of the %d that a commit holds", whose, size, t.Format.Limits.Frame)
	if is {
		t.size.large[key] = true
		t.Log.Warn(detail+": at the limit "+t.outgrown(), "size", size, "limit", t.Format.Limits.Frame)
	} else {
		delete(t.size.large, key)
		detail = fmt.Sprintf("the state%s has %d bytes, less than half of the %d that a commit holds", whose, size, t.Format.Limits.Frame)
		t.Log.Info(detail)
	}
	t.Observed.LargeStates.Store(int64(len(t.size.large)))
	t.Run.tell(supervise.Event{Child: t.Definition.Name, Kind: observe.StateSize, Detail: detail})
}

// outgrown is the error when a state has passed the limit.
func (in *Instance) outgrown() string {
	if in.Definition.Keyed() {
		return "the messages of this key become dead letters; keep less in its state, or raise the server's max_payload"
	}
	return "the stage stops; keep less in it, keep one state per key (engine.KeyBy), or raise the server's max_payload"
}
