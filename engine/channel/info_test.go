package channel

import (
	"testing"
	"time"
)

// A start asks how much a channel holds while the server may be away.
func TestInfoWaitsForAServerThatIsAway(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	c := openChannel(t, e.broker(t), spec())
	e.Stop()
	done := make(chan error, 1)
	go func() {
		_, err := c.Info(testContext(t))
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	e.Again()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
