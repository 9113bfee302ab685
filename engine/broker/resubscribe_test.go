package broker

import (
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/testing/natsserver"
)

// A right that is missing is asked for less and less often, and soon again once it was there in between.
func TestSubscriptionsAreSoonAskedForAgainAfterTheyWereGranted(t *testing.T) {
	t.Parallel()
	var r resubscriber
	now := time.Unix(1e9, 0)
	wait := func(since, want time.Duration) {
		t.Helper()
		now = now.Add(since)
		if got := r.next(now); got != want {
			t.Errorf("%v after the last try: %v, want %v", since, got, want)
		}
		now = now.Add(r.delay)
		r.last = now
	}
	const answer = 50 * time.Millisecond
	for _, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		wait(answer, want*time.Second)
	}
	wait(time.Hour, time.Second)
	wait(answer, 2*time.Second)
}

// Close waits for a try to subscribe again. It has to end the connection first: the try may be waiting for that.
func TestCloseWaitsForATryToSubscribeAgain(t *testing.T) {
	t.Parallel()
	b, err := Open(testContext(t), Config{URL: natsserver.Start(t).ClientURL()})
	if err != nil {
		t.Fatal(err)
	}
	trying, closed := make(chan struct{}), make(chan struct{})
	var over atomic.Bool
	b.connection.refusals.again.soon(func() error {
		close(trying)
		b.connection.waitClosed(t.Context())
		select { // only a Close that does not wait gets here first
		case <-closed:
		case <-time.After(50 * time.Millisecond):
		}
		over.Store(true)
		return nil
	})
	<-trying
	b.Close()
	if !over.Load() {
		t.Error("Close has returned before the try")
	}
	close(closed)
}

// Nothing is tried after the end, and nothing that waits for its time is waited for.
func TestNoTryToSubscribeAgainAfterTheEnd(t *testing.T) {
	t.Parallel()
	var r resubscriber
	try := func() error { t.Error("tried"); return nil }
	r.soon(try)
	r.stop()
	r.soon(try)
	r.wait()
}
