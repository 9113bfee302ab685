package engine_test

import (
	"log/slog"
	"testing"
	"time"

	"penstock/engine/broker"
)

// What is among the dead letters and is none is of no message, and does not keep
// a start from taking back what was lost.
func TestGarbageAmongTheLettersIsNotInTheWayOfTakingBack(t *testing.T) {
	t.Parallel()
	const n = 20
	dir := crashed(t, n, time.Hour, 6)
	publishTo(t, dir, "tailed.sum.0.dead.double.0.1")
	p, total := tailed(n, noTokens())
	config := testConfig(t, dir)
	config.Sync = time.Hour
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	if !p.Status().Completed || *total != n*(n-1) {
		t.Errorf("the sum is %d, and should be %d", *total, n*(n-1))
	}
}

// publishTo publishes a text to a stream in a directory that nobody uses.
func publishTo(t *testing.T, dir, subject string) {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{Dir: dir + "/jetstream", Sync: time.Hour, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.JetStream().Publish(t.Context(), subject, []byte("by hand")); err != nil {
		t.Fatal(err)
	}
}
