package engine_test

import (
	"context"
	"testing"
	"time"

	"penstock/engine"
	"penstock/internal/testing/natsserver"
)

// A cluster loses the server that the pipeline is connected to: it goes on
// with the other two by itself, and nothing is lost or doubled.
func TestClusterSurvivesTheLossOfAServer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	t.Parallel()
	servers := natsserver.Cluster(t)
	const n = 30_000
	p := engine.New("clustered")
	numbers := engine.Source(p, "numbers", count(n, 3)).WithCapacity(engine.Capacity{Messages: 1000})
	sums := engine.Stage(p, "sums", engine.On(numbers,
		func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*sum += m.Value
			emit(*sum)
			return nil
		}))
	got := collect[uint64](t)
	engine.Sink(p, "sink", sums, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
		if m.Offset == n/3 {
			servers[0].Shutdown()
		}
		return got.sink(ctx, s, m)
	})
	config := testConfig(t, t.TempDir())
	config.NATS.URL = natsserver.URLs(servers)
	config.NATS.Replicas = 3
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil || !p.Status().Completed {
		t.Fatalf("error %v, %+v", err, p.Status())
	}
	values := got.all()
	if len(values) != n {
		t.Fatalf("%d values, want %d", len(values), n)
	}
	var sum uint64
	for i, v := range values {
		if sum += uint64(i); v != sum {
			t.Fatalf("value %d is %d, want %d", i, v, sum)
		}
	}
}
