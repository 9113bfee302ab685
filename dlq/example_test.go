package dlq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
)

// A stage gives up on a message; later somebody looks what happened.
func Example() {
	js, stop := embedded()
	defer stop()
	ctx := context.Background()

	q, err := dlq.Open(ctx, js, dlq.Config{Pipeline: "fizzbuzz", Identity: "6c1f", MaxMessages: 1})
	if err != nil {
		log.Fatal(err)
	}
	letter := dlq.Letter{
		Stage: "worker", Input: "generator", Offset: 33, Value: []byte("33"), Codec: "uint64",
		Reason: dlq.ReasonPanic, Panic: "33 is unlucky",
		Attempts: []dlq.Attempt{{Error: "33 is unlucky"}, {Error: "33 is unlucky"}, {Error: "33 is unlucky"}},
	}
	for range 2 { // a crash before the commit makes the stage write it again
		written, err := q.Put(ctx, letter)
		fmt.Println("written:", written, err)
	}
	letter.Offset = 34
	_, err = q.Put(ctx, letter)
	fmt.Println("full:", errors.Is(err, dlq.ErrFull))

	err = q.Each(ctx, func(l dlq.Letter) error {
		fmt.Printf("%s %s after %d attempts: %s\n", l.ID(), l.Reason, len(l.Attempts), l.Panic)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// written: true <nil>
	// written: false <nil>
	// full: true
	// worker.0:generator.0:33 panic after 3 attempts: 33 is unlucky
}

// embedded starts a server in this process.
func embedded() (js jetstream.JetStream, stop func()) {
	dir, err := os.MkdirTemp("", "dlq")
	if err != nil {
		log.Fatal(err)
	}
	srv, err := server.NewServer(&server.Options{JetStream: true, StoreDir: dir, DontListen: true, NoLog: true, NoSigs: true})
	if err != nil {
		log.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		log.Fatal("the server does not start")
	}
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		log.Fatal(err)
	}
	if js, err = jetstream.New(nc); err != nil {
		log.Fatal(err)
	}
	return js, func() {
		nc.Close()
		srv.Shutdown()
		srv.WaitForShutdown()
		os.RemoveAll(dir)
	}
}
