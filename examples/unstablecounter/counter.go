package unstablecounter

import (
	"context"
	"math"

	"penstock/engine"
)

// ticksPerSnapshot is 1000 ms.
const ticksPerSnapshot = 100

// State is the counter's state.
type State struct {
	Count    uint8 `json:"count"`
	Snapshot uint8 `json:"snapshot"` // the count it goes on from after a panic
}

// counter is the counter's stage: what it does not keep.
type counter struct {
	wait  func(ctx context.Context) error
	ticks int // of this life
}

// start begins a life. The recovery function may be that of an earlier life or,
// in a new process, none.
func (c *counter) start(ctx context.Context, s *State, _ engine.Emit[uint8]) error {
	c.ticks = 0
	recoverAt(ctx, s.Snapshot)
	engine.Logger(ctx).Info("counting", "from", s.Count)
	return nil
}

func (c *counter) tick(ctx context.Context, s *State, emit engine.Emit[uint8]) error {
	if err := c.wait(ctx); err != nil {
		return err
	}
	if s.Count == math.MaxUint8 {
		panic("the counter overflows its 8 bits")
	}
	s.Count++
	emit(s.Count)
	c.ticks++
	if c.ticks%ticksPerSnapshot == 0 {
		s.Snapshot = s.Count
		recoverAt(ctx, s.Snapshot)
		engine.Logger(ctx).Info("snapshot", "count", s.Snapshot)
	}
	return nil
}

// recoverAt replaces the recovery function: it is the snapshot.
func recoverAt(ctx context.Context, snapshot uint8) {
	engine.SetRecovery(ctx, func(_ context.Context, f engine.Fault[State]) engine.Recovery[State] {
		return f.RestartWith(State{Count: snapshot, Snapshot: snapshot})
	})
}
