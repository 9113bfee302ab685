package natsserver

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Server is a server of a test, which ends with it. It can be stopped and started again in between. Its methods may be
// called by one goroutine, but for InProcessConn.
type Server struct {
	*server.Server // the last one that was started

	t       testing.TB
	options *server.Options

	mu      sync.Mutex // for those that connect meanwhile
	running *server.Server
}

// Start starts a server in a temporary directory. Each function changes its options.
func Start(t testing.TB, changes ...func(*server.Options)) *Server {
	t.Helper()
	s := &Server{t: t, options: Options(t.TempDir())}
	for _, change := range changes {
		change(s.options)
	}
	s.Again()
	t.Cleanup(s.Stop)
	return s
}

// Again starts it once more after Stop, with the same options and directory. To keep its port it has to be told one.
func (s *Server) Again() {
	s.t.Helper()
	started, err := Run(s.options.Clone())
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Server, s.running = started, started
}

// Stop stops it, and waits until it has ended. It may be called again.
func (s *Server) Stop() {
	s.mu.Lock()
	stopped := s.running
	s.running = nil
	s.mu.Unlock()
	if stopped != nil {
		Stop(stopped)
	}
}

// InProcessConn lets a client find the server also after it was started anew.
func (s *Server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil, errors.New("the server is stopped")
	}
	return s.running.InProcessConn()
}

// JetStream connects inside the process, until the test ends. The connection outlives a stop of the server.
func (s *Server) JetStream() jetstream.JetStream {
	s.t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.MaxReconnects(-1), nats.ReconnectWait(5*time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // a stopped server is no news
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
