package task

import (
	"fmt"
	"sync"
	"sync/atomic"

	"penstock/engine/channel"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// foreignMessages are those in a stage's channel that are no commits of its
// owners. Channel and readers pass over them; here they are counted and told.
// Safe for concurrent use.
type foreignMessages struct {
	Count atomic.Uint64

	mu      sync.Mutex
	told    func(supervise.Event) // nil until the instance is open
	pending []supervise.Event     // what was met before, at most mostPending
}

// mostPending bounds the events that a start keeps until it can tell them.
const mostPending = 16

// Met is told by the channel.
func (f *foreignMessages) Met(m channel.Foreign) {
	f.Count.Add(1)
	if !m.Told {
		return
	}
	e := supervise.Event{Kind: observe.ForeignMessage, Detail: fmt.Sprintf("stream %s, sequence %d, %d bytes, begins with %s: %s; %d so far",
		m.Stream, m.Sequence, m.Size, m.Begin, m.Reason, m.Count)}
	f.mu.Lock()
	told := f.told
	if told == nil && len(f.pending) < mostPending {
		f.pending = append(f.pending, e)
	}
	f.mu.Unlock()
	if told != nil {
		told(e)
	}
}

// tell passes on what was met, now and from now on.
func (f *foreignMessages) tell(in *Instance) {
	told := func(e supervise.Event) {
		e.Child = in.Definition.Name
		in.Run.tell(e)
	}
	f.mu.Lock()
	pending := f.pending
	f.told, f.pending = told, nil
	f.mu.Unlock()
	for _, e := range pending {
		told(e)
	}
}
