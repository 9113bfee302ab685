package dlq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
	"penstock/internal/testing/natsserver"
)

// A stage gives up on a message; later a person looks at what happened.
func Example() {
	js, stop := embedded()
	defer stop()
	ctx := context.Background()

	q, err := dlq.Open(ctx, js, dlq.Config{Pipeline: "fizzbuzz", Identity: "6c1f", MaxMessages: 1})
	if err != nil {
		log.Fatal(err)
	}
	letter := dlq.Letter{
		Origin:  dlq.Origin{Stage: "worker", Input: "generator", Offset: 33},
		Content: dlq.Content{Value: []byte("33"), Codec: "uint64"},
		Cause:   dlq.Cause{Reason: dlq.ReasonPanic, Panic: "33 is unlucky", Attempts: []dlq.Attempt{{Error: "33 is unlucky"}, {Error: "33 is unlucky"}, {Error: "33 is unlucky"}}},
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

// An operator replays what failed; the stage takes it and settles it.
func ExampleQueue_Replay() {
	js, stop := embedded()
	defer stop()
	ctx := context.Background()
	q, err := dlq.Open(ctx, js, dlq.Config{Pipeline: "fizzbuzz", Identity: "6c1f"})
	if err != nil {
		log.Fatal(err)
	}
	for _, offset := range []uint64{34, 33} {
		letter := dlq.Letter{Origin: dlq.Origin{Stage: "worker", Input: "generator", Offset: offset}, Cause: dlq.Cause{Reason: dlq.ReasonError, Error: "no route"}}
		if _, err := q.Put(ctx, letter); err != nil {
			log.Fatal(err)
		}
	}

	// The operator.
	err = q.SelectInOrder(ctx, dlq.Filter{Stage: "worker", Error: "no route"}, func(l dlq.Letter) error {
		if err := q.Replay(ctx, l, dlq.ReplayOptions{}); err != nil && !errors.Is(err, dlq.ErrPending) {
			return err
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}

	// The stage.
	for position := uint64(0); ; {
		r, found, err := q.NextReplay(ctx, "worker", 0, position)
		if err != nil {
			log.Fatal(err)
		}
		if !found {
			break
		}
		fmt.Println("takes", r.ID())
		position = r.Sequence + 1 // committed with the effect
		if err := q.Settle(ctx, r); err != nil {
			log.Fatal(err)
		}
	}
	n, err := q.Count(ctx)
	fmt.Println("left:", n, err)
	// Output:
	// takes worker.0:generator.0:33
	// takes worker.0:generator.0:34
	// left: 0 <nil>
}

// Letters move as lines of JSON.
func ExampleQueue_Export() {
	js, stop := embedded()
	defer stop()
	ctx := context.Background()
	q, err := dlq.Open(ctx, js, dlq.Config{Pipeline: "fizzbuzz", Identity: "6c1f"})
	if err != nil {
		log.Fatal(err)
	}
	written := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	letter := dlq.Letter{
		Origin:  dlq.Origin{Stage: "worker", Input: "generator", Offset: 33},
		Content: dlq.Content{Value: []byte(`{"n":33}`), Time: written},
		Cause:   dlq.Cause{Reason: dlq.ReasonError, Error: "no route"},
		Write:   dlq.Write{At: written},
	}
	if _, err := q.Put(ctx, letter); err != nil {
		log.Fatal(err)
	}
	var lines strings.Builder
	if _, err := q.Export(ctx, dlq.Filter{Reason: dlq.ReasonError}, &lines); err != nil {
		log.Fatal(err)
	}
	line, queue, _ := strings.Cut(lines.String(), `,"queue":"`) // it names the stream, which is made anew here
	fmt.Println(line, strings.HasPrefix(queue, "6c1f@"))
	// Output:
	// {"id":"worker.0:generator.0:33","pipeline":"fizzbuzz","stage":"worker","instance":0,"input":"generator","inputInstance":0,"offset":33,"value":"eyJuIjozM30=","json":{"n":33},"valueBytes":8,"time":"2026-01-02T12:00:00Z","reason":"error","error":"no route","round":1,"at":"2026-01-02T12:00:00Z","sequence":1 true
}

// embedded starts a server in this process.
func embedded() (js jetstream.JetStream, stop func()) {
	dir, err := os.MkdirTemp("", "dlq")
	if err != nil {
		log.Fatal(err)
	}
	srv, err := natsserver.Run(natsserver.Options(dir))
	if err != nil {
		log.Fatal(err)
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
		natsserver.Stop(srv)
		os.RemoveAll(dir)
	}
}
