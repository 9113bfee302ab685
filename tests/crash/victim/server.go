package main

import (
	"errors"
	"flag"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// runServer is an external NATS server that syncs every write, until it is killed.
func runServer(args []string) error {
	set := flag.NewFlagSet("server", flag.ExitOnError)
	dir := set.String("dir", "", "`directory` of the streams")
	port := set.Int("port", server.RANDOM_PORT, "to listen on, on the loopback interface")
	if err := set.Parse(args); err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		Host:       "127.0.0.1",
		Port:       *port,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   *dir,
		SyncAlways: true,
	})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return errors.New("the server did not start; is the port taken?")
	}
	say("listening " + s.ClientURL())
	s.WaitForShutdown()
	return errors.New("the server stopped")
}
