package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/internal/testing/natsserver"
)

// A stop before the first connection is an orderly end, like any other.
func TestRunThatIsStoppedBeforeTheFirstConnectionEndsWell(t *testing.T) {
	t.Parallel()
	mute, accepted := natsserver.Mute(t)
	config := testConfig(t, t.TempDir())
	config.NATS = engine.NATS{URL: "nats://" + mute}
	ctx, stop := bounded(t)
	ended := make(chan error, 1)
	p := thirty()
	go func() { ended <- p.Run(ctx, config) }()
	<-accepted
	stop()
	if err := <-ended; err != nil || p.Status().Completed {
		t.Errorf("error %v, %+v", err, p.Status())
	}
}

// A run may say how long it waits for the server.
func TestRunWithAConnectTimeout(t *testing.T) {
	t.Parallel()
	mute, _ := natsserver.Mute(t)
	config := testConfig(t, t.TempDir())
	config.NATS = engine.NATS{URL: "nats://" + mute, ConnectTimeout: 10 * time.Millisecond}
	err := runBounded(t, thirty(), config)
	if !errors.Is(err, broker.ErrNoServer) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
