package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// syncMode is how often the server brings its files to the disk.
type syncMode struct {
	name     string
	interval time.Duration // 0: before each acknowledgement
}

// syncModes are the pipeline's default and the server's.
var syncModes = []syncMode{{"always", 0}, {"lazy", 2 * time.Minute}}

// startServer starts a server set up like the one a pipeline embeds: no port,
// files in dir.
func startServer(dir string, sync syncMode) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName:   "by-hand",
		DontListen:   true,
		NoSigs:       true,
		NoLog:        true,
		JetStream:    true,
		StoreDir:     dir,
		SyncAlways:   sync.interval == 0,
		SyncInterval: sync.interval,
	})
	if err != nil {
		return nil, fmt.Errorf("server in %s: %w", dir, err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		stopServer(s)
		return nil, errors.New("the server did not start in ten seconds")
	}
	return s, nil
}

func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// connect connects in process, which is what a pipeline does.
func connect(s *server.Server) (*nats.Conn, error) {
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return nil, fmt.Errorf("connect to the server in process: %w", err)
	}
	return nc, nil
}
