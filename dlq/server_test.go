package dlq

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testServer is an embedded server that can be stopped and started on the same directory while clients stay connected.
type testServer struct {
	t       testing.TB
	options server.Options

	mu      sync.Mutex
	current *server.Server
}

func startServer(t testing.TB) *testServer {
	s := &testServer{t: t, options: server.Options{
		JetStream: true, StoreDir: t.TempDir(), DontListen: true, NoLog: true, NoSigs: true,
	}}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *testServer) start() {
	s.t.Helper()
	options := s.options
	srv, err := server.NewServer(&options)
	if err != nil {
		s.t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		s.t.Fatal("the server does not start")
	}
	s.mu.Lock()
	s.current = srv
	s.mu.Unlock()
}

func (s *testServer) stop() {
	s.mu.Lock()
	srv := s.current
	s.current = nil
	s.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

func (s *testServer) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil, errors.New("the server is stopped")
	}
	return s.current.InProcessConn()
}

func (s *testServer) connect() jetstream.JetStream {
	s.t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.MaxReconnects(-1), nats.ReconnectWait(5*time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // a stopped server is no news here
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		s.t.Fatal(err)
	}
	return js
}

func testConfig() Config { return Config{Pipeline: "fizzbuzz", Identity: "id-1"} }

func open(t testing.TB, js jetstream.JetStream, cfg Config) *Queue {
	t.Helper()
	q, err := Open(t.Context(), js, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func openNew(t testing.TB) *Queue {
	t.Helper()
	return open(t, startServer(t).connect(), testConfig())
}

func letterAt(offset uint64) Letter {
	return Letter{
		Pipeline: "fizzbuzz", Stage: "worker", Input: "generator", Offset: offset, Value: []byte("33"), Reason: ReasonPanic,
	}
}

// mustPut fails the test unless Put answers wantWritten.
func mustPut(t testing.TB, q *Queue, l Letter, wantWritten bool) {
	t.Helper()
	written, err := q.Put(t.Context(), l)
	if err != nil || written != wantWritten {
		t.Fatalf("Put(%s) = %v, %v; want %v", l.ID(), written, err, wantWritten)
	}
}

func wantCount(t testing.TB, q *Queue, want uint64) {
	t.Helper()
	if n, err := q.Count(t.Context()); err != nil || n != want {
		t.Fatalf("Count = %d, %v; want %d", n, err, want)
	}
}

func offsets(ctx context.Context, q *Queue) ([]uint64, error) {
	var list []uint64
	err := q.Each(ctx, func(l Letter) error {
		list = append(list, l.Offset)
		return nil
	})
	return list, err
}
