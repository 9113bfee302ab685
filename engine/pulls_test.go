package engine_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/engine"
	"penstock/internal/testing/natsserver"
)

// A server whose max_pending is as small as its max_payload cuts the connection as soon as it has more to deliver than
// that. The pipeline pulls less each time until it goes on, and names the setting.
func TestSmallMaxPendingOfTheServer(t *testing.T) {
	t.Parallel()
	const payload = 64 << 10
	s := natsserver.Start(t, func(o *server.Options) { o.MaxPayload, o.MaxPending = payload, payload })
	const n = 2000
	p := engine.New("orders")
	// All is written before the first message is taken: there is as much to deliver as a reader asks for.
	written := make(chan struct{})
	numbers := engine.Source(p, "numbers", func(_ context.Context, next *uint64, emit engine.Emit[[]byte]) error {
		if *next == n {
			close(written)
			return io.EOF
		}
		emit(make([]byte, 10_000))
		*next++
		return nil
	})
	engine.Sink(p, "sink", numbers, func(_ context.Context, count *uint64, m engine.Message[[]byte]) error {
		<-written
		if len(m.Value) != 10_000 {
			return engine.Fatal(errors.New("another value"))
		}
		*count++
		return nil
	})
	log := &logged{}
	config := testConfig(t, t.TempDir())
	config.Logger = log.logger()
	config.NATS = engine.NATS{URL: s.ClientURL()}
	err := p.Run(t.Context(), config)
	if got := p.Status().Stages[1].In; err != nil || got != n {
		t.Fatalf("error %v, %d of %d messages", err, got, n)
	}
	if s.NumSlowConsumers() < 3 || strings.Count(log.String(), "pulling fewer at a time from now on; most likely its max_pending is too small: raise it") != 1 {
		t.Errorf("%d cuts:\n%s", s.NumSlowConsumers(), log.String())
	}
}
