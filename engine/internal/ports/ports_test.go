package ports

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestRealTimeWaitsUntilDoneOrTheContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	done, never := make(chan struct{}), make(chan struct{})
	close(done)
	if err := (RealTime{}).Until(ctx, done); err != nil {
		t.Errorf("done: %v", err)
	}
	before := time.Now()
	if err := (RealTime{}).Pause(ctx, time.Millisecond); err != nil || time.Since(before) < time.Millisecond {
		t.Errorf("paused for %v, %v", time.Since(before), err)
	}
	cancel()
	if err := (RealTime{}).Until(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("never done: %v", err)
	}
	if err := (RealTime{}).Pause(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("paused without a context: %v", err)
	}
}
