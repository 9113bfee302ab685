package main

import (
	"flag"

	"penstock/internal/testing/natsserver"
)

// runServer is an external NATS server, until it is killed.
func runServer(args []string) error {
	set := flag.NewFlagSet("server", flag.ExitOnError)
	dir := set.String("dir", "", "`directory` of the streams")
	port := set.Int("port", 0, "to listen on, on the loopback interface")
	if err := set.Parse(args); err != nil {
		return err
	}
	return natsserver.Serve(*dir, *port, func(url string) { say("listening " + url) })
}
