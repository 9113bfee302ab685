package supervise_test

import (
	"context"
	"sync"
	"testing/synctest"
	"time"

	"penstock/engine/supervise"
)

// world is where a plan is played: it keeps the log, and what is never to end by itself is released by it.
type world struct {
	mu      sync.Mutex
	start   time.Time
	log     []entry
	lives   map[*node]int
	asked   map[*node]int // of the recovery function
	probed  map[*node]int
	begged  map[*node]int // how often it was asked whether it may be abandoned
	release chan struct{}
	playing sync.WaitGroup
}

func newWorld() *world {
	return &world{lives: map[*node]int{}, asked: map[*node]int{}, probed: map[*node]int{}, begged: map[*node]int{}}
}

func (w *world) note(e entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, e.at(time.Since(w.start)))
}

// next counts in one of the maps, from 0.
func (w *world) next(m map[*node]int, n *node) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	m[n]++
	return m[n] - 1
}

// play runs the plan to its end. It belongs in a bubble.
func (w *world) play(p plan) {
	w.start, w.release = time.Now(), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	root := w.build(p.root)
	served, commanded := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(served)
		w.note(entry{what: returned, err: root.Serve(ctx)})
	}()
	go func() {
		defer close(commanded)
		w.command(root, p.commands, served)
	}()
	if p.cut > 0 {
		w.await(served, p.cut)
	} else if !w.await(served, settling) {
		synctest.Wait()
		w.note(entry{what: settled, status: root.Status()})
	}
	w.note(entry{what: cancelled})
	cancel()
	if !w.await(served, settling) {
		w.note(entry{what: stuck})
	}
	<-time.After(time.Minute) // for whatever may still happen
	w.note(entry{what: released})
	close(w.release)
	w.playing.Wait()
	<-served
	<-commanded
	synctest.Wait()
	w.note(entry{what: over, status: root.Status()})
}

func (w *world) await(done <-chan struct{}, d time.Duration) bool {
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

func (w *world) command(root *supervise.Supervisor, commands []command, served <-chan struct{}) {
	ctx := context.Background()
	for _, c := range commands {
		w.await(served, c.after)
		w.note(entry{what: ordered, path: c.target.path, order: c.do})
		var err error
		switch c.do {
		case restartIt:
			err = root.RestartChild(ctx, c.target.path)
		case stopIt:
			err = root.StopChild(ctx, c.target.path)
		case startIt:
			err = root.StartChild(ctx, c.target.path)
		}
		w.note(entry{what: answered, path: c.target.path, order: c.do, err: err})
	}
}

// build makes the supervisor of a group.
func (w *world) build(n *node) *supervise.Supervisor {
	s := &supervise.Supervisor{
		Name: n.name, Strategy: n.strategy, Limit: n.limit,
		OnChildEnd: func(e supervise.ChildEnd) { w.note(entry{what: childEnd, path: join(e.Group, e.Child), end: e}) },
	}
	if n.parent == nil {
		s.OnEvent = func(e supervise.Event) { w.note(entry{what: event, path: join(e.Group, e.Child), event: e}) }
	}
	for _, k := range n.kids {
		c := supervise.Child{Name: k.name, Policy: k.policy, Backoff: k.backoff, Limit: k.own, StopTimeout: k.stopTimeout}
		if k.group {
			c.Group = w.build(k)
		} else {
			c.Serve = w.serve(k)
			c.Abandon = func() bool { return w.next(w.begged, k) >= k.script.patient }
		}
		if k.script.recover != nil {
			c.Recover, c.RecoverTimeout = w.recovery(k), recoverTimeout
		}
		if k.script.probes != nil {
			k.check.Probe = w.probe(k)
			c.Checks = []supervise.Check{k.check}
		}
		s.Children = append(s.Children, c)
	}
	return s
}
