package engine

import (
	"slices"
	"sync"

	"penstock/engine/supervise"
)

// subscribers are told of events. Safe for concurrent use.
type subscribers struct {
	mu   sync.Mutex
	list []*subscriber
}

type subscriber struct{ fn func(supervise.Event) }

// Subscribe has fn told of every start, fault, restart and stop of the
// pipeline's stages and groups from now on, in this run and in later ones, until
// cancel is called. fn is called for one event at a time, in order; it must not
// block, nor call RestartStage and its like. When cancel has returned fn is
// called no more. A panic of fn is contained. Safe for concurrent use, but
// cancel must not be called from fn.
func (p *Pipeline) Subscribe(fn func(supervise.Event)) (cancel func()) {
	s := &subscriber{fn}
	p.subscribers.mu.Lock()
	defer p.subscribers.mu.Unlock()
	p.subscribers.list = append(p.subscribers.list, s)
	return func() {
		p.subscribers.mu.Lock()
		defer p.subscribers.mu.Unlock()
		p.subscribers.list = slices.DeleteFunc(p.subscribers.list, func(other *subscriber) bool { return other == s })
	}
}

func (l *subscribers) tell(e supervise.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.list {
		_ = supervise.Contain(func() error { s.fn(e); return nil })
	}
}
