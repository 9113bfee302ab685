package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(serverDir); dir != "" {
		serverMain(dir)
	}
	leak.Main(m)
}

// journal keeps what is logged, and lets a test wait for a line.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	moved chan struct{}
}

func newJournal() *journal { return &journal{moved: make(chan struct{})} }

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.moved)
	j.moved = make(chan struct{})
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (j *journal) await(t *testing.T, part string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		j.mu.Lock()
		found, moved := strings.Contains(j.text.String(), part), j.moved
		j.mu.Unlock()
		if found {
			return
		}
		select {
		case <-moved:
		case <-limit:
			t.Fatalf("never logged %q; the log is:\n%s", part, j)
		}
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, cfg Config) *Broker {
	t.Helper()
	b, err := Open(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func wantError(t *testing.T, err error, is error, parts ...string) {
	t.Helper()
	if err == nil || (is != nil && !errors.Is(err, is)) {
		t.Fatalf("error is %v, want %v", err, is)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in %q", part, err)
		}
	}
}

// roundTrip proves that the connection can do what the engine needs.
func roundTrip(t *testing.T, b *Broker) {
	t.Helper()
	ctx := testContext(t)
	if _, err := b.JetStream().CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "probe", Subjects: []string{"probe.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.JetStream().Publish(ctx, "probe.x", []byte(fmt.Sprint(time.Now()))); err != nil {
		t.Fatal(err)
	}
}
