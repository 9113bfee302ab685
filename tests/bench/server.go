package main

import (
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"penstock/internal/testing/natsserver"
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
	options := natsserver.Options(dir)
	options.ServerName, options.DontListen = "by-hand", true
	options.SyncAlways, options.SyncInterval = sync.interval == 0, sync.interval
	return natsserver.Run(options)
}

// connect connects in process, which is what a pipeline does.
func connect(s *server.Server) (*nats.Conn, error) {
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return nil, fmt.Errorf("connect to the server in process: %w", err)
	}
	return nc, nil
}
