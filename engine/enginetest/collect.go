package enginetest

import (
	"context"
	"sync"

	"penstock/engine"
)

// Collected is what a sink declared with Collect took. Safe for concurrent use.
type Collected[T any] struct {
	mu       sync.Mutex
	messages []engine.Message[T]
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
	c.forget(m.Offset)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, m)
}

// forget drops what comes again, because it was not committed.
func (c *Collected[T]) forget(from uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := len(c.messages); n > 0 && c.messages[n-1].Offset >= from; n-- {
		c.messages = c.messages[:n-1]
	}
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
