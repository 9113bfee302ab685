package pause

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAPauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	if err := errors.Join(For(ctx, 0), For(ctx, -time.Hour), For(ctx, time.Nanosecond)); err != nil {
		t.Errorf("a context that lives: %v", err)
	}
	ended := make(chan error)
	go func() { ended <- For(ctx, 1<<62) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ends meanwhile: %v", err)
	}
	for _, d := range []time.Duration{0, -1, time.Hour} {
		if err := For(ctx, d); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that has ended, %v: %v", d, err)
		}
	}
}
