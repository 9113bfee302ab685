package engine_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/tests/loopback"
)

// cluster is three servers on loopback.
func cluster(t *testing.T) []*server.Server {
	t.Helper()
	var ports [3]int // of routes, which they must know of each other before they start
	var routes []*url.URL
	for i := range ports {
		ports[i] = loopback.ForTest(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", ports[i])})
	}
	var servers []*server.Server
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("node", i), Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(),
			Cluster: server.ClusterOpts{Name: "trio", Host: "127.0.0.1", Port: port},
			Routes:  routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(20 * time.Second) {
			t.Fatal("a server is not ready")
		}
	}
	return servers
}

// waitForReplicas returns when the cluster can place a stream on all three.
func waitForReplicas(t *testing.T, s *server.Server) {
	t.Helper()
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		attempt, done := context.WithTimeout(ctx, time.Second)
		_, err = js.CreateStream(attempt, jetstream.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: 3})
		done()
		if err == nil {
			if err := js.DeleteStream(ctx, "probe"); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the cluster does not come up: %v", err)
}

// A cluster loses the server that the pipeline is connected to: it goes on
// with the other two by itself, and nothing is lost or doubled.
func TestClusterSurvivesTheLossOfAServer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	t.Parallel()
	servers := cluster(t)
	waitForReplicas(t, servers[0])
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.ClientURL())
	}
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
	config.NATS.URL = strings.Join(urls, ",")
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
