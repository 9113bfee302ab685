package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// While one stage crashes in a loop, its neighbours on both sides and a reader of the same stream keep committing.
func TestCrashLoopStaysInItsStage(t *testing.T) {
	t.Parallel()
	const (
		numbers = 3000
		stuck   = 100 // the number that the stage crashes at
	)
	var mended atomic.Bool // set when everybody else is done
	var crashes atomic.Uint64

	p := engine.New("isolation")
	source := engine.Source(p, "numbers", upTo(numbers))
	loop := p.With(
		engine.Attempts(1_000_000),
		engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond, Max: 2 * time.Millisecond}))
	crashed := engine.Stage(loop, "crasher", engine.On(source,
		func(_ context.Context, seen *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if m.Value == stuck && !mended.Load() {
				crashes.Add(1)
				if m.Attempt%2 == 0 {
					return errors.New("a crash as an error")
				}
				panic("a crash")
			}
			*seen++
			emit(m.Value)
			return nil
		}))
	before := &collector{}
	engine.Sink(p, "behind", crashed, before.take)
	after := &collector{}
	// What reads beside the crasher takes one number per crash, so that it is sure to commit while crashes go on.
	engine.Sink(p, "beside", source, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Value > stuck && m.Value <= stuck+20 && crashes.Load() < m.Value-stuck {
			return engine.Snooze(time.Millisecond)
		}
		mended.Store(m.Value == numbers-1)
		return after.take(ctx, s, m)
	})

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Run(ctx, engine.Config{Dir: t.TempDir(), Logger: silent}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*collector{"behind": before, "beside": after} {
		if err := c.check(numbers); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("%d crashes", crashes.Load())
	for _, stage := range p.Status().Stages {
		crashing := stage.Name == "crasher"
		if failures := stage.Panics + stage.Errors; crashing && failures < 20 || !crashing && failures+stage.Restarts > 0 {
			t.Errorf("stage %s: %d failures, %d restarts", stage.Name, failures, stage.Restarts)
		}
	}
}

func upTo(n uint64) engine.SourceFunc[uint64, uint64] {
	return func(_ context.Context, next *uint64, emit engine.Emit[uint64]) error {
		if *next == n {
			return io.EOF
		}
		emit(*next)
		*next++
		return nil
	}
}

// collector is a sink that keeps what it got; nothing kills it.
type collector struct{ values []uint64 }

func (c *collector) take(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
	c.values = append(c.values, m.Value)
	return nil
}

func (c *collector) check(n int) error {
	if len(c.values) != n {
		return fmt.Errorf("%d values, want %d", len(c.values), n)
	}
	for i, v := range c.values {
		if v != uint64(i) {
			return fmt.Errorf("value %d is %d", i, v)
		}
	}
	return nil
}
