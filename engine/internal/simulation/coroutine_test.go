package simulation

import (
	"fmt"
	"iter"
	"runtime/debug"
)

// coroutine runs code that waits, and gives the world its turn wherever it
// waits. One runs at a time, so that a schedule is a list of choices.
type coroutine struct {
	name   string
	body   func(c *coroutine)
	thread *thread // once it runs
	pool   *threads
	dead   bool
	ended  bool

	// What it waits for; at most one of them.
	done  <-chan struct{}
	due   int64 // of the world's clock
	idle  bool  // until something pokes it
	hangs bool  // in a function of a stage, until the world lets it return
}

// stopped unwinds a coroutine whose process is dead.
type stopped struct{}

// pause gives the others a turn.
func (c *coroutine) pause() {
	if c.dead || !c.thread.yield(struct{}{}) || c.dead {
		panic(stopped{})
	}
}

// kill ends it where it is. Nothing that it still does has an effect.
func (c *coroutine) kill() {
	c.dead = true
	if c.thread == nil {
		c.ended = true
	}
	for !c.ended {
		c.next()
	}
}

// isReady says whether it would do something.
func (c *coroutine) isReady(now int64) bool {
	switch {
	case c.ended || c.dead || c.hangs || c.idle:
		return false
	case c.done != nil:
		select {
		case <-c.done:
			return true
		default:
			return false
		}
	}
	return c.due <= now
}

func (c *coroutine) resume() {
	c.done, c.due, c.idle = nil, 0, false
	c.next()
}

func (c *coroutine) next() {
	if c.thread == nil {
		c.thread = c.pool.take()
		c.thread.runs = c
	}
	t := c.thread
	if t.next(); c.ended {
		c.thread = nil
		c.pool.free = append(c.pool.free, t)
	}
}

// thread is what coroutines run on, one after the other: a stack that has grown
// is worth keeping.
type thread struct {
	runs  *coroutine
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// threads are those of one worker.
type threads struct{ free []*thread }

func (p *threads) take() *thread {
	if n := len(p.free); n > 0 {
		t := p.free[n-1]
		p.free = p.free[:n-1]
		return t
	}
	t := &thread{}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		for {
			t.run()
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return t
}

func (t *thread) run() {
	c := t.runs
	defer func() {
		c.ended = true
		if value := recover(); value != nil {
			if _, ok := value.(stopped); !ok {
				panic(fmt.Sprintf("%v\n%s", value, debug.Stack()))
			}
		}
	}()
	c.body(c)
}

// close ends the threads. None may be in use.
func (p *threads) close() {
	for _, t := range p.free {
		t.stop()
	}
	p.free = nil
}
