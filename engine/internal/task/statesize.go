package task

import (
	"fmt"
	"sync/atomic"

	"penstock/engine/frame"
	"penstock/engine/internal/answer"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// A state travels in one message of the server, so there is a largest one. What
// a message makes too large is the message's failure. But a state that has grown
// over time makes a failure of any message, however innocent: so it is told from
// half the limit on, and from there on the message is not blamed. An unkeyed
// stage stops then. In a keyed one the messages of that key become letters, and
// the other keys go on.

// stateSize is what a task knows of the size of its states.
type stateSize struct {
	before atomic.Int64    // of an unkeyed stage: in the last commit, as it counts toward the limit
	large  map[string]bool // states of more than half the limit; that of an unkeyed stage has the key ""
}

// maxLarge bounds the keys that are known to be large. No more are told of.
const maxLarge = 100

// tooLarge answers a commit that does not fit into one message of the server: fewer calls next time, or the failure of
// the one call it is.
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

// sizeOf is how many bytes of a frame are state and outputs.
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

// noteSize looks how large the states are that a commit holds.
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

// noteLarge tells of a state that has become large, and of one that is no more.
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

// outgrown is what follows when a state passes the limit.
func (in *Instance) outgrown() string {
	if in.Definition.Keyed() {
		return "the messages of this key become dead letters; keep less in its state, or raise the server's max_payload"
	}
	return "the stage stops; keep less in it, keep one state per key (engine.KeyBy), or raise the server's max_payload"
}
