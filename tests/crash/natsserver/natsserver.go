package natsserver

import (
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Random is a port that is free.
const Random = server.RANDOM_PORT

// Serve runs a server on the loopback interface that syncs every write. It calls listening once, and returns when the
// server has ended.
func Serve(dir string, port int, listening func(url string)) error {
	s, err := server.NewServer(&server.Options{
		Host:       "127.0.0.1",
		Port:       port,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   dir,
		SyncAlways: true,
		// Streams reserve their bound, which a small disk does not have.
		JetStreamMaxStore: 1 << 50,
	})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return errors.New("the server did not start; is the port taken?")
	}
	listening(s.ClientURL())
	s.WaitForShutdown()
	return errors.New("the server stopped")
}
