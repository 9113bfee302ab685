package dlq

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/testing/leak"
	"penstock/internal/testing/natsserver"
)

func TestMain(m *testing.M) { leak.Main(m) }

func testConfig() Config { return Config{Pipeline: "fizzbuzz", Identity: "id-1"} }

func open(t testing.TB, js jetstream.JetStream, cfg Config) *Queue {
	t.Helper()
	q, err := Open(t.Context(), js, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func openNew(t testing.TB) *Queue {
	t.Helper()
	return open(t, natsserver.Start(t).JetStream(), testConfig())
}

func letterAt(offset uint64) Letter {
	return Letter{
		Origin:  Origin{Pipeline: "fizzbuzz", Stage: "worker", Input: "generator", Offset: offset},
		Content: Content{Value: []byte("33")},
		Cause:   Cause{Reason: ReasonPanic},
	}
}

// mustPut fails the test unless Put answers wantWritten.
func mustPut(t testing.TB, q *Queue, l Letter, wantWritten bool) {
	t.Helper()
	written, err := q.Put(t.Context(), l)
	if err != nil || written != wantWritten {
		t.Fatalf("Put(%s) = %v, %v; want %v", l.ID(), written, err, wantWritten)
	}
}

func wantCount(t testing.TB, q *Queue, want uint64) {
	t.Helper()
	if n, err := q.Count(t.Context()); err != nil || n != want {
		t.Fatalf("Count = %d, %v; want %d", n, err, want)
	}
}

func offsets(ctx context.Context, q *Queue) ([]uint64, error) {
	var list []uint64
	err := q.Each(ctx, func(l Letter) error {
		list = append(list, l.Offset)
		return nil
	})
	return list, err
}
