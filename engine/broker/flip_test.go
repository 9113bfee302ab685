package broker

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The server would cut the block off at the bit, and say nothing.
func TestAFlippedBitOfAMessageIsFlippedBack(t *testing.T) {
	t.Parallel()
	const messages = 20
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	config := Config{Dir: t.TempDir()}
	b, err := Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "s", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	for range messages {
		if _, err := b.JetStream().Publish(ctx, "s.a", []byte("a message")); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	found, err := filepath.Glob(filepath.Join(config.Dir, "jetstream", "*", "streams", "s", "msgs", "*.blk"))
	if err != nil || len(found) != 1 {
		t.Fatalf("blocks %v, %v", found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 16
	if err := os.WriteFile(found[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err = Open(ctx, config); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	stream, err := b.JetStream().Stream(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n != messages {
		t.Errorf("%d messages are left of %d", n, messages)
	}
}

// The server would list 10^15 sequences at its start, of a stream whose first sequence is that high.
func TestADamagedStreamOfHighSequencesHoldsUpNoStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	config := Config{Dir: t.TempDir()}
	b, err := Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "s", Subjects: []string{"s.>"}, FirstSeq: 1e15}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := b.JetStream().Publish(ctx, "s.a", make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	found, err := filepath.Glob(filepath.Join(config.Dir, "jetstream", "*", "streams", "s", "msgs", "*.blk"))
	if err != nil || len(found) != 1 {
		t.Fatalf("blocks %v, %v", found, err)
	}
	f, err := os.OpenFile(found[0], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("damage"), 40); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = Open(ctx, config); err != nil {
		t.Fatal(err)
	}
	b.Close()
}
