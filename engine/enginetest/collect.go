package enginetest

import (
	"context"
	"slices"
	"sync"

	"penstock/engine"
)

// Collected is what a sink declared with Collect took. Safe for concurrent use.
type Collected[T any] struct {
	mu       sync.Mutex
	messages []engine.Message[T]
	next     uint64 // offset after the last first delivery
	replayed uint64 // the last replay
}

// Collect declares a sink that remembers what it takes, each message once and in order, also when it is started again
// in between. A run that starts over forgets what the one before took.
//
// It remembers in memory: a pipeline that is resumed by another process collects only from where it resumes.
func Collect[T any](scope engine.Scope, name string, in *engine.Stream[T]) *Collected[T] {
	c := &Collected[T]{}
	engine.Sink(scope, name, in, func(_ context.Context, _ *struct{}, m engine.Message[T]) error {
		c.take(m)
		return nil
	}, engine.Hooks[struct{}, engine.None]{
		Start: func(ctx context.Context, _ *struct{}, _ engine.Emit[engine.None]) error {
			c.forget(engine.InfoOf(ctx).In)
			return nil
		},
	})
	return c
}

func (c *Collected[T]) take(m engine.Message[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case m.Replay > 0 && m.Replay <= c.replayed: // it was not committed
		c.drop(func(before engine.Message[T]) bool { return before.Replay >= m.Replay })
	case m.Replay == 0 && m.Offset < c.next:
		c.drop(func(before engine.Message[T]) bool { return before.Replay == 0 && before.Offset >= m.Offset })
	}
	if m.Replay > 0 {
		c.replayed = m.Replay
	} else {
		c.next = m.Offset + 1
	}
	c.messages = append(c.messages, m)
}

// forget drops first deliveries that come again, because they were not committed; without any that was, everything.
func (c *Collected[T]) forget(from uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(func(m engine.Message[T]) bool { return from == 0 || m.Replay == 0 && m.Offset >= from })
}

func (c *Collected[T]) drop(isGone func(engine.Message[T]) bool) {
	c.messages = slices.DeleteFunc(c.messages, isGone)
}

// Values returns the values in the order of the stream.
func (c *Collected[T]) Values() []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	values := make([]T, len(c.messages))
	for i, m := range c.messages {
		values[i] = m.Value
	}
	return values
}

// Messages returns the same with their keys, times and offsets.
func (c *Collected[T]) Messages() []engine.Message[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]engine.Message[T](nil), c.messages...)
}
