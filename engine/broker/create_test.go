package broker

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// The server removes the directory of all streams a moment after it said that the last one is deleted.
func TestCreateRightAfterTheLastDelete(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Dir: t.TempDir()})
	ctx := testContext(t)
	for i := range 1000 {
		if _, err := b.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "only", Subjects: []string{"only"}}); err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
		if err := b.JetStream().DeleteStream(ctx, "only"); err != nil {
			t.Fatal(err)
		}
	}
}
