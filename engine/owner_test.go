package engine_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
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
	var told atomic.Int32
	config.OnEvent = func(e supervise.Event) {
		switch e.Kind {
		case observe.TakenOver:
			told.Add(1)
		case supervise.Failed, supervise.Escalated:
			t.Errorf("a stage that was taken over tells %v: %v", e.Kind, e.Err)
		}
	}
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

	config.Dir, config.OnEvent = t.TempDir(), nil
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
	if host, _ := os.Hostname(); fenced.OwnerPlace != config.Dir+" on host "+host || !strings.Contains(err.Error(), fenced.OwnerPlace) {
		t.Errorf("the owner is in %s: %v", config.Dir, err)
	}
	if told.Load() == 0 {
		t.Error("no event tells that a stage was taken over")
	}
	for i, v := range got.all() {
		if v != uint64(i) {
			t.Fatalf("offset %d holds %d", i, v)
		}
	}
}
