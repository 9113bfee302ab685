package engine_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsOptions are those of a server on loopback with JetStream in a directory.
func natsOptions(dir string) *server.Options {
	return &server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir}
}

// startNATS starts a server, which ends with the test.
func startNATS(t *testing.T, options *server.Options) *server.Server {
	t.Helper()
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server is not ready")
	}
	return s
}
