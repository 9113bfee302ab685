package broker

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// What was acknowledged is there after a restart in place, and the connection is restored by itself.
func TestRestartOfTheEmbeddedServer(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	b, err := Open(ctx, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "s", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= 3; n++ {
		if err := b.WaitConnected(ctx); err != nil {
			t.Fatal(err)
		}
		ack, err := b.JetStream().Publish(ctx, "s", []byte("x"))
		if err != nil || ack.Sequence != n {
			t.Fatalf("publish %d: %+v, %v", n, ack, err)
		}
		if err := b.Trouble(); err != nil {
			t.Fatal(err)
		}
		again := make(chan struct{})
		remove := b.OnReconnect(func() { close(again) })
		if err := b.Restart(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case <-again:
		case <-ctx.Done():
			t.Fatal("the connection did not come back")
		}
		remove()
	}
	b.embedded.stopServer()
	if err := b.Trouble(); !errors.Is(err, ErrBroken) {
		t.Errorf("a stopped server: %v", err)
	}
	b.Close()
	if err := b.Restart(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}
