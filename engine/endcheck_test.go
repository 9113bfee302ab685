package engine_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"penstock/engine"
)

// checkedPlace is the place of a source that is checked at its end.
type checkedPlace struct{ Next uint64 }

func (*checkedPlace) ChecksEnd() {}

// checkedSource emits 0 to 9, and answers a check with err.
func checkedSource(checks *atomic.Int32, err error) engine.SourceFunc[checkedPlace, uint64] {
	return func(ctx context.Context, s *checkedPlace, emit engine.Emit[uint64]) error {
		if engine.IsEndCheck(ctx) {
			checks.Add(1)
			if s.Next != 10 {
				return errors.New("the state is not that of the end")
			}
			emit(s.Next) // is not kept, as little as this:
			s.Next = 0
			return err
		}
		if s.Next == 10 {
			return io.EOF
		}
		emit(s.Next)
		s.Next++
		return nil
	}
}

// A run that was complete goes on for a replay without its input, which may be
// gone; one that is interrupted is checked at each start.
func TestASourceIsCheckedAtItsEndUntilTheRunIsComplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checks := new(atomic.Int32)
	got := collect[uint64](t)
	wire := func(answer error, sink func(context.Context, *struct{}, engine.Message[uint64]) error) *engine.Pipeline {
		p := engine.New("checked")
		engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", checkedSource(checks, answer)), sink)
		return p
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var p *engine.Pipeline
	p = wire(nil, func(context.Context, *struct{}, engine.Message[uint64]) error {
		if stageStatus(t, p.Status(), "numbers").Ended {
			cancel()
		}
		return engine.Unavailable(errDown)
	})
	if err := p.Run(ctx, testConfig(t, dir)); err != nil || p.Status().Completed || checks.Load() != 0 {
		t.Fatalf("the first run: %v, completed: %v, %d checks", err, p.Status().Completed, checks.Load())
	}
	err := runBounded(t, wire(errors.New("the input is another one"), got.sink), testConfig(t, dir))
	if err == nil || !strings.Contains(err.Error(), "stage numbers") || !strings.Contains(err.Error(), "another one") || len(got.all()) > 0 || checks.Load() != 1 {
		t.Fatalf("the second run: %v, %d values, %d checks", err, len(got.all()), checks.Load())
	}
	run(t, wire(io.EOF, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		return engine.Reject(errors.New("not yet"))
	}), dir)
	if checks.Load() != 2 || replayAll(t, dir) != 10 {
		t.Fatalf("%d checks, want 2", checks.Load())
	}
	run(t, wire(errors.New("the input is gone"), got.sink), dir)
	if checks.Load() != 2 || len(got.all()) != 10 {
		t.Errorf("a run that was complete: %d checks, %d values", checks.Load(), len(got.all()))
	}
}
