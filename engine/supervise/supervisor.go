package supervise

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Supervisor runs children side by side and restarts each on its own. Fill the fields, then call Serve; they must not change
// while it runs.
type Supervisor struct {
	Children []Child
	// OnEvent is told what happens, if set: one event at a time, in order, and none after Serve has returned. It runs
	// between the steps of a child and so must not block or panic.
	OnEvent func(Event)
	// Abandon is how long to wait for children that are told to stop; default 5 s, negative: not at all.
	Abandon time.Duration
}

const defaultAbandon = 5 * time.Second

// Serve starts the children and waits until all have ended. It returns nil when each ended for good, the error of ctx when
// that was done first, and the error of a child, with its name, when that was escalated: IsEscalated still holds for it.
// Children that would not stop turn either error into an *AbandonedError that wraps it.
//
// A child without Serve, or two with the same name, is a wiring mistake: Serve panics.
func (s *Supervisor) Serve(ctx context.Context) error {
	s.mustBeWired()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()

	r := run{onEvent: s.OnEvent}
	results := make(chan result, len(s.Children)) // room for all, so that an abandoned child can still end
	for i := range s.Children {
		go func() { results <- result{i, r.child(inner, &s.Children[i])} }()
	}

	w := waiting{cancel: cancel, running: make([]bool, len(s.Children)), left: len(s.Children)}
	for i := range w.running {
		w.running[i] = true
	}
	if !w.wait(inner, results, s.abandon()) {
		r.close()
		return &AbandonedError{Children: w.abandoned(s.Children), Cause: w.cause(ctx)}
	}
	return w.cause(ctx)
}

func (s *Supervisor) abandon() time.Duration {
	if s.Abandon == 0 {
		return defaultAbandon
	}
	return s.Abandon
}

func (s *Supervisor) mustBeWired() {
	names := make(map[string]bool, len(s.Children))
	for i := range s.Children {
		c := &s.Children[i]
		if c.Serve == nil {
			panic(fmt.Sprintf("supervise: child %q has no Serve", c.Name))
		}
		if names[c.Name] {
			panic(fmt.Sprintf("supervise: two children are called %q", c.Name))
		}
		names[c.Name] = true
	}
}

type result struct {
	child int
	err   error // an escalated failure, or nil
}

// waiting is what Serve knows about children that it waits for.
type waiting struct {
	cancel    context.CancelFunc
	running   []bool
	left      int
	escalated error // the first one; it is the others' reason to stop
}

// wait returns true when all children have ended, and false when some have not after they had abandon to stop in.
func (w *waiting) wait(ctx context.Context, results <-chan result, abandon time.Duration) bool {
	stop := ctx.Done()
	var late <-chan time.Time
	for w.left > 0 {
		select {
		case r := <-results:
			w.ended(r)
		case <-stop:
			stop = nil
			timer := time.NewTimer(abandon)
			defer timer.Stop()
			late = timer.C
		case <-late:
			w.drain(results)
			return w.left == 0
		}
	}
	return true
}

// drain takes note of children that ended at the last moment.
func (w *waiting) drain(results <-chan result) {
	for {
		select {
		case r := <-results:
			w.ended(r)
		default:
			return
		}
	}
}

func (w *waiting) ended(r result) {
	w.running[r.child] = false
	w.left--
	if r.err != nil && w.escalated == nil {
		w.escalated = r.err
		w.cancel()
	}
}

func (w *waiting) abandoned(children []Child) []string {
	var names []string
	for i, running := range w.running {
		if running {
			names = append(names, children[i].Name)
		}
	}
	return names
}

// cause is why the children were to stop. An escalated failure comes first: it must not be lost in an ordinary shutdown.
func (w *waiting) cause(ctx context.Context) error {
	if w.escalated != nil {
		return w.escalated
	}
	return ctx.Err()
}

// run is one call of Serve, as its children see it.
type run struct {
	mu      sync.Mutex
	onEvent func(Event) // nil once Serve has returned
}

func (r *run) event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.onEvent != nil {
		e.Time = time.Now()
		r.onEvent(e)
	}
}

func (r *run) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onEvent = nil
}
