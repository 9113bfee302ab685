package broker

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestEmbeddedKeepsMessagesOverRestart(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Config{Dir: dir})
	roundTrip(t, b)
	b.Close()
	b.Close() // harmless

	b = open(t, Config{Dir: dir})
	s, err := b.JetStream().Stream(testContext(t), "probe")
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.Msgs; n != 1 {
		t.Fatalf("%d messages after the restart, want 1", n)
	}
}

func TestEmbeddedListensNowhere(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Dir: t.TempDir()})
	if addr := b.embedded.server.Load().Addr(); addr != nil {
		t.Errorf("listens on %v", addr)
	}
	if conn, err := net.Dial("tcp", "127.0.0.1:4222"); err == nil {
		conn.Close()
		t.Skip("something else listens on NATS's port")
	}
	if !b.Embedded() || !b.Connected() || b.Replicas() != 1 || b.MaxPayload() != embeddedMaxPayload {
		t.Errorf("embedded %v, connected %v, replicas %d, payload %d", b.Embedded(), b.Connected(), b.Replicas(), b.MaxPayload())
	}
}

func TestEmbeddedSync(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sync   time.Duration
		always bool
	}{{0, true}, {3 * time.Second, false}} {
		b := open(t, Config{Dir: t.TempDir(), Sync: test.sync})
		v, err := b.embedded.server.Load().Jsz(nil)
		if err != nil {
			t.Fatal(err)
		}
		if v.Config.SyncAlways != test.always || (!test.always && v.Config.SyncInterval != test.sync) {
			t.Errorf("Sync %v: server has always %v, interval %v", test.sync, v.Config.SyncAlways, v.Config.SyncInterval)
		}
		if b.Sync() != test.sync {
			t.Errorf("Sync() is %v, want %v", b.Sync(), test.sync)
		}
	}
}

func TestEmbeddedDirectoryIsExclusive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, Config{Dir: dir})
	_, err := Open(testContext(t), Config{Dir: dir})
	wantError(t, err, ErrInUse, dir)
	b.Close()
	open(t, Config{Dir: dir})
}

func TestEmbeddedTakesLargeMessages(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Dir: t.TempDir(), Sync: time.Minute})
	ctx := testContext(t)
	if _, err := b.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "large", Subjects: []string{"large"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.JetStream().Publish(ctx, "large", make([]byte, embeddedMaxPayload-200)); err != nil {
		t.Fatal(err)
	}
}

func TestEmbeddedCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if b, err := Open(ctx, Config{Dir: filepath.Join(t.TempDir(), "new")}); err == nil {
		b.Close() // the start may be quicker than the look at ctx
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Dir: t.TempDir()})
	ask := func(subject string, timeout time.Duration) (string, error) {
		done := make(chan struct{})
		var text string
		var failure error
		b.Ask(subject, nil, []byte("question"), timeout, func(msg *nats.Msg, err error) {
			if failure = err; err == nil {
				text = string(msg.Data)
			}
			close(done)
		})
		<-done
		return text, failure
	}
	if _, err := b.Conn().Subscribe("echo", func(m *nats.Msg) { _ = m.Respond(m.Data) }); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Conn().Subscribe("mute", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if text, err := ask("echo", 10*time.Second); err != nil || text != "question" {
		t.Errorf("answer %q, %v", text, err)
	}
	_, err := ask("nobody", 10*time.Second)
	wantError(t, err, ErrNoResponders)
	_, err = ask("mute", time.Millisecond)
	wantError(t, err, ErrNoAnswer)
	b.Close()
	_, err = ask("echo", 10*time.Second)
	wantError(t, err, ErrDisconnected)
}

func ExampleOpen() {
	ctx := context.Background()
	b, err := Open(ctx, Config{Dir: exampleDir()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	fmt.Println("embedded:", b.Embedded(), "connected:", b.Connected())
	// Output: embedded: true connected: true
}
