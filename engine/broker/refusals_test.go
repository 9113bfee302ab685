package broker

import (
	"context"
	"fmt"
	"testing"
)

// A request that ends with the connection says so. That its context ended is no reason.
func TestARequestNamesTheLossOfTheConnection(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancelCause(testContext(t))
	end(ErrDisconnected)
	wantError(t, refusedBy(ctx, fmt.Errorf("read: %w", ctx.Err())), ErrDisconnected, "connection to NATS lost")
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	wantError(t, refusedBy(ctx, ctx.Err()), context.Canceled)
}
