package unstablecounter_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"penstock/examples/unstablecounter"
)

func TestTicks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tick := unstablecounter.Ticks(3)
		begin := time.Now()
		for n := time.Duration(1); n <= 3; n++ {
			if err := tick(t.Context()); err != nil || time.Since(begin) != n*unstablecounter.Interval {
				t.Errorf("tick %d after %v: %v", n, time.Since(begin), err)
			}
		}
		if err := tick(t.Context()); err != io.EOF {
			t.Errorf("after the last: %v", err)
		}

		endless := unstablecounter.Ticks(0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := endless(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		for range 1000 {
			if err := endless(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
