package natsserver

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const patience = 20 * time.Second // until a server takes connections

// Options are those of a server that listens on a free port of the loopback interface, keeps its streams in dir and
// logs nothing.
func Options(dir string) *server.Options {
	return &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir}
}

// Run starts a server, and returns it when it takes connections. Stop ends it.
func Run(options *server.Options) (*server.Server, error) {
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("start a NATS server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		Stop(s)
		return nil, errors.New("start a NATS server: it takes no connections; is the port taken?")
	}
	return s, nil
}

// Stop ends a server and waits until it has ended.
func Stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// Serve is the whole of a process that is a server, which can be killed. It syncs every write, calls listening once,
// and returns when the server has ended. A port of 0 is a free one.
func Serve(dir string, port int, listening func(url string)) error {
	options := Options(dir)
	options.SyncAlways, options.NoLog = true, false
	options.JetStreamMaxStore = 1 << 50 // streams reserve their bound, which a small disk does not have
	if port != 0 {
		options.Port = port
	}
	s, err := Run(options)
	if err != nil {
		return err
	}
	listening(s.ClientURL())
	s.WaitForShutdown()
	return errors.New("the server stopped")
}
