package jetstream_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/stages/jetstream"
)

const benched = 100_000 // messages of 100 bytes

// fill puts the messages of a benchmark into S.
func fill(b *testing.B) *other {
	b.Helper()
	o := startOther(b)
	o.stream()
	data := make([]byte, 100)
	for range benched {
		if _, err := o.js.PublishAsync("s.x", data); err != nil {
			b.Fatal(err)
		}
	}
	<-o.js.PublishAsyncComplete()
	b.ResetTimer()
	return o
}

func report(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(benched)*float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

// BenchmarkSource reads S with a pipeline whose second stage counts the messages: exactly once, with a sync of each
// commit, or of those of a second.
func BenchmarkSource(b *testing.B) {
	for name, sync := range map[string]time.Duration{"always": 0, "second": time.Second} {
		b.Run(name, func(b *testing.B) {
			o := fill(b)
			for range b.N {
				p := engine.New("reads")
				in := jetstream.Source(p, "source", jetstream.SourceConfig{NATS: o.nats(), Stream: "S", UpTo: jetstream.UpToLast()})
				engine.Sink(p, "count", in, func(_ context.Context, n *int, _ engine.Message[jetstream.Message]) error {
					*n++
					return nil
				})
				if err := p.Run(b.Context(), engine.Config{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler), Sync: sync}); err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
	}
}

// BenchmarkAcknowledgingConsumer reads S with a durable consumer that acknowledges each message and waits for the
// answer: at least once.
func BenchmarkAcknowledgingConsumer(b *testing.B) {
	o := fill(b)
	for k := range b.N {
		consumer, err := o.js.CreateConsumer(b.Context(), "S", natsjs.ConsumerConfig{Durable: fmt.Sprint("c", k), AckPolicy: natsjs.AckExplicitPolicy})
		if err != nil {
			b.Fatal(err)
		}
		messages, err := consumer.Messages()
		if err != nil {
			b.Fatal(err)
		}
		for range benched {
			m, err := messages.Next()
			if err == nil {
				err = m.DoubleAck(b.Context())
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		messages.Stop()
	}
	report(b)
}

// BenchmarkSink writes into S with a pipeline, exactly once.
func BenchmarkSink(b *testing.B) {
	for name, mode := range map[string]jetstream.Mode{"ExpectLast": jetstream.ExpectLast, "MessageID": jetstream.MessageID} {
		b.Run(name, func(b *testing.B) {
			o := startOther(b)
			o.stream()
			for range b.N {
				p := engine.New("writes")
				numbers := engine.Source(p, "numbers", counts(benched))
				jetstream.Sink(p, "sink", numbers, jetstream.SinkConfig{NATS: o.nats(), Stream: "S", Mode: mode}, func(int) (jetstream.Message, error) {
					return jetstream.Message{Subject: "s.x", Data: make([]byte, 100)}, nil
				})
				if err := p.Run(b.Context(), engine.Config{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)}); err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
	}
}

// BenchmarkPublishAsync writes into S with nats.go alone, and waits for all answers at the end.
func BenchmarkPublishAsync(b *testing.B) {
	o := startOther(b)
	o.stream()
	conn, err := nats.Connect(o.ClientURL())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	js, err := natsjs.New(conn, natsjs.WithPublishAsyncMaxPending(256))
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		for range benched {
			if _, err := js.PublishAsync("s.x", make([]byte, 100)); err != nil {
				b.Fatal(err)
			}
		}
		<-js.PublishAsyncComplete()
	}
	report(b)
}
