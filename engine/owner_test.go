package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"penstock/engine"
)

// A second owner takes a pipeline over while the first still runs: the first
// commits nothing more and says why, and together they deliver everything once.
func TestReplacedOwnerCannotCommit(t *testing.T) {
	t.Parallel()
	s, _ := external(t)
	got := collect[uint64](t)
	wire := func(n uint64, then func()) *engine.Pipeline {
		p := engine.New("owned")
		next := count(n, 2)
		numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			time.Sleep(100 * time.Microsecond) // it has no end: the other owner needs the processors, too
			return next(ctx, at, emit)
		})
		engine.Sink(p, "sink", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Offset > 100 {
				then()
			}
			return got.sink(ctx, s, m)
		})
		return p
	}
	config := testConfig(t, t.TempDir())
	config.NATS.URL = s.ClientURL()
	underWay := make(chan struct{}, 1)
	first := wire(1<<50, func() {
		select {
		case underWay <- struct{}{}:
		default:
		}
	})
	result := make(chan error, 1)
	go func() { result <- runBounded(t, first, config) }()
	<-underWay

	config.Dir = t.TempDir()
	ctx, stop := bounded(t)
	taken := 0
	second := wire(1<<50, func() {
		if taken++; taken == 1000 {
			stop()
		}
	})
	if err := second.Run(ctx, config); err != nil {
		t.Fatalf("second owner: %v", err)
	}
	stop()
	err := <-result
	var fenced *engine.FencedError
	if !errors.As(err, &fenced) || fenced.OwnerEpoch <= fenced.Epoch {
		t.Fatalf("first owner: %v", err)
	}
	for i, v := range got.all() {
		if v != uint64(i) {
			t.Fatalf("offset %d holds %d", i, v)
		}
	}
}
