package broker

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// The server removes a stream's meta file before it moves the directory away; a kill in between must not let the old
// messages come back.
func TestInterruptedDeletionOfAStreamIsFinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	publish := func() uint64 {
		b := open(t, Config{Dir: dir, StartingOver: true})
		defer b.Close()
		ctx := testContext(t)
		s, err := b.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "s", Subjects: []string{"s.>"}})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := b.JetStream().Publish(ctx, "s.1", []byte("old")); err != nil {
				t.Fatal(err)
			}
		}
		info, err := s.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return info.State.Msgs
	}
	if n := publish(); n != 3 {
		t.Fatalf("%d messages, want 3", n)
	}
	streams := filepath.Join(dir, "jetstream", "$G", "streams")
	if err := os.Remove(filepath.Join(streams, "s", streamMeta)); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(streams, ".t")
	if err := os.Mkdir(moved, 0o700); err != nil {
		t.Fatal(err)
	}
	if n := publish(); n != 3 {
		t.Errorf("%d messages in the new stream, want 3", n)
	}
	if _, err := os.Stat(moved); err == nil {
		t.Error("what was moved away is still there")
	}
	if n := publish(); n != 6 {
		t.Errorf("%d messages after a restart, want 6", n)
	}
}

// Settings that somebody removed do not take the messages with them.
func TestStreamWithoutSettingsKeepsItsMessages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	publishOne(t, dir, true)
	if err := os.Remove(filepath.Join(dir, "jetstream", "$G", "streams", "s", streamMeta)); err != nil {
		t.Fatal(err)
	}
	for want := uint64(2); want <= 3; want++ {
		if n := publishOne(t, dir, want == 2); n != want {
			t.Errorf("%d messages, want %d", n, want)
		}
	}
}
