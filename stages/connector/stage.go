package connector

import (
	"context"
	"sync"

	"penstock/engine"
)

// Reader reads something outside. S is its place, T what it emits. The stage uses one Reader from a start to the next
// stop, and then another one. Open, Read and Close are called by one goroutine, except that Close may come while a
// Read hangs that was abandoned.
type Reader[S, T any] interface {
	// About says what it is. It may be called before Open, by any goroutine.
	About() About
	// Open connects. It returns Unavailable, and is called again, while the other side is away.
	Open(ctx context.Context) error
	// Read is an engine.SourceFunc. The place may have gone back to an earlier one since the last call.
	Read(ctx context.Context, place *S, emit engine.Emit[T]) error
	// Close ends what Open and Read have begun, and waits for it.
	Close() error
}

// Writer writes into something outside. S is what it remembers of that.
type Writer[S, T any] interface {
	About() About
	Open(ctx context.Context) error
	// Write writes a batch, and returns nil when the other side has it. What it has written of a batch that failed comes
	// again, perhaps message by message, and a dead letter comes with its Replay. The state may have gone back since.
	Write(ctx context.Context, state *S, batch []engine.Message[T]) error
	Close() error
}

// Source declares a source of a connector. The function is called at each start of the stage.
func Source[S, T any](scope engine.Scope, name string, another func() Reader[S, T], parts ...engine.Part[S, T]) *engine.Stream[T] {
	c := &current[Reader[S, T]]{another: another}
	read := func(ctx context.Context, place *S, emit engine.Emit[T]) error {
		return c.get().Read(ctx, place, emit)
	}
	return engine.Source(scope, name, read, append(parts, engine.Hooks[S, T]{
		Start: func(ctx context.Context, _ *S, _ engine.Emit[T]) error { return c.open(ctx) },
		Stop:  func(context.Context, *S) error { return c.close() },
	})...)
}

// Sink declares a sink of a connector, which gets its messages in batches. The function is called at each start of
// the stage.
func Sink[S, T any](scope engine.Scope, name string, in *engine.Stream[T], another func() Writer[S, T], parts ...engine.Part[S, engine.None]) {
	c := &current[Writer[S, T]]{another: another}
	write := func(ctx context.Context, state *S, batch []engine.Message[T]) error {
		return c.get().Write(ctx, state, batch)
	}
	engine.SinkBatch(scope, name, in, write, append(parts, engine.Hooks[S, engine.None]{
		Start: func(ctx context.Context, _ *S, _ engine.Emit[engine.None]) error { return c.open(ctx) },
		Stop:  func(context.Context, *S) error { return c.close() },
	})...)
}

// connection is what a reader and a writer have in common.
type connection interface {
	Open(ctx context.Context) error
	Close() error
}

// current is the reader or writer of a stage since its last start. One whose call hangs is left behind, and closed at
// the next start: the call still uses it.
type current[C connection] struct {
	another func() C

	mu     sync.Mutex
	now    C
	isMade bool
}

func (c *current[C]) get() C {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *current[C]) open(ctx context.Context) error {
	if err := c.close(); err != nil {
		return err
	}
	next := c.another()
	c.mu.Lock()
	c.now, c.isMade = next, true
	c.mu.Unlock()
	return next.Open(ctx)
}

func (c *current[C]) close() error {
	c.mu.Lock()
	last, isMade := c.now, c.isMade
	c.isMade = false
	c.mu.Unlock()
	if !isMade {
		return nil
	}
	return last.Close()
}
