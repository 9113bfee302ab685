package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/internal/testing/natsserver"
	"penstock/stages/connector"
	"penstock/stages/jetstream"
)

// shop starts another program's server with two streams, ORDERS and BILLS, and puts some orders there.
func shop(dir string) (url string, js natsjs.JetStream, stop func()) {
	server, err := natsserver.Run(natsserver.Options(dir))
	if err != nil {
		panic(err)
	}
	conn, err := nats.Connect(server.ClientURL())
	if err != nil {
		panic(err)
	}
	js, err = natsjs.New(conn)
	if err != nil {
		panic(err)
	}
	for stream, subjects := range map[string]string{"ORDERS": "orders.>", "BILLS": "bills.>"} {
		if _, err := js.CreateStream(context.Background(), natsjs.StreamConfig{Name: stream, Subjects: []string{subjects}}); err != nil {
			panic(err)
		}
	}
	for _, order := range []string{"ann 12", "bob", "ann 30"} {
		if _, err := js.Publish(context.Background(), "orders.new", []byte(order)); err != nil {
			panic(err)
		}
	}
	return server.ClientURL(), js, func() {
		conn.Close()
		natsserver.Stop(server)
	}
}

// Orders of another program are read from its stream, and bills are written into another stream of it, each exactly
// once. An order that cannot be read becomes a dead letter.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	url, js, stop := shop(filepath.Join(dir, "shop"))
	defer stop()

	type bill struct {
		Customer string
		Euros    int
	}
	p := engine.New("billing")
	orders := jetstream.Source(p, "orders", jetstream.SourceConfig{
		NATS: engine.NATS{URL: url}, Stream: "ORDERS", Subjects: []string{"orders.new"}, UpTo: jetstream.UpToLast(),
	})
	bills := engine.Stage(p, "parse", engine.On(orders,
		func(_ context.Context, _ *struct{}, m engine.Message[jetstream.Message], emit engine.Emit[bill]) error {
			var b bill
			if _, err := fmt.Sscan(string(m.Value.Data), &b.Customer, &b.Euros); err != nil {
				return engine.Reject(fmt.Errorf("order %d: %w", m.Value.Sequence, err))
			}
			emit(b)
			return nil
		}))
	jetstream.Sink(p, "bills", bills, jetstream.SinkConfig{NATS: engine.NATS{URL: url}, Stream: "BILLS"},
		func(b bill) (jetstream.Message, error) {
			if b.Euros == 0 {
				return jetstream.Message{}, errors.New("nothing to pay")
			}
			return jetstream.Message{Subject: "bills." + b.Customer, Data: fmt.Append(nil, b.Euros, " euros")}, nil
		})
	if err := p.Run(context.Background(), engine.Config{Dir: filepath.Join(dir, "data"), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		fmt.Println(err)
	}

	stream, err := js.Stream(context.Background(), "BILLS")
	if err != nil {
		panic(err)
	}
	for k := uint64(1); k <= stream.CachedInfo().State.LastSeq; k++ {
		m, err := stream.GetMsg(context.Background(), k)
		if err != nil {
			panic(err)
		}
		fmt.Println(m.Subject, string(m.Data))
	}
	for _, s := range p.Status().Stages {
		if s.DeadLetters > 0 {
			fmt.Println("dead letters of", s.Name, s.DeadLetters)
		}
	}
	// Output:
	// bills.ann 12 euros
	// bills.ann 30 euros
	// dead letters of parse 1
}

// A connector tells what it promises and what can be set.
func ExampleAboutSink() {
	about := jetstream.AboutSink(jetstream.MessageID)
	fmt.Println(about.Name+":", about.Guarantee)
	for _, s := range about.Settings {
		if strings.Contains(s.Name, "Password") || s.Name == "InFlight" {
			fmt.Println(s.Name+":", s.Doc, "| default:", s.Default, s.Unit, "| secret:", s.Secret)
		}
	}
	fmt.Println(connector.ExactlyOnce > about.Guarantee)
	// Output:
	// jetstream sink: once within a bound
	// NATS.Password: password of the user | default:   | secret: true
	// InFlight: messages that are sent and not acknowledged yet; besides that, 8 MiB | default: 256 messages | secret: false
	// true
}
