package pause

import (
	"context"
	"time"
)

// For waits, and returns the error of ctx if that is done before. Without a time to wait it asks ctx only.
func For(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
