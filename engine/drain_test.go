package engine_test

import (
	"context"
	"testing"
	"time"

	"penstock/engine"
)

// A backlog that takes longer than the drain timeout is left for the next run.
func TestDrainTimeoutLeavesTheRestForTheNextRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := collect[uint64](t)
	const n = 2000
	wire := func(slow bool, stop func()) *engine.Pipeline {
		p := engine.New("backlog")
		numbers := engine.Source(p, "numbers", count(n, 100))
		engine.Sink(p, "slow", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if slow && m.Offset == 50 {
				stop()
				<-ctx.Done() // until the drain timeout is over
				return ctx.Err()
			}
			return got.sink(ctx, s, m)
		})
		return p
	}
	ctx, stop := bounded(t)
	defer stop()
	config := testConfig(t, dir)
	config.DrainTimeout = 10 * time.Millisecond
	p := wire(true, stop)
	if err := p.Run(ctx, config); err != nil || p.Status().Completed {
		t.Fatalf("error %v, %+v", err, p.Status())
	}
	if s := stageStatus(t, p.Status(), "slow"); s.Errors != 0 {
		t.Errorf("the end of the drain counts as a fault: %+v", s)
	}
	run(t, wire(false, nil), dir)
	if values := got.all(); len(values) != n || values[n-1] != n-1 {
		t.Errorf("%d values", len(values))
	}
}
