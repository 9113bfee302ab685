package supervise

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A check whose failures somebody else bounds counts toward no limit.
func TestUncountedHealth(t *testing.T) {
	for name, c := range map[string]struct {
		uncounted bool
		restarts  uint64
	}{"counted": {false, 2}, "uncounted": {true, 9}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-time.Millisecond)
				defer cancel()
				s := Supervisor{Limit: Limit{Restarts: 2, Window: time.Hour}, Children: []Child{{
					Name: "child", Serve: untilDone, Backoff: Immediate(),
					Checks: []Check{{Interval: time.Second, Threshold: 1, Probe: func(context.Context) Health {
						h := Unwell("always")
						h.Uncounted = c.uncounted
						return h
					}}},
				}}}
				_ = s.Serve(ctx)
				if n := s.Status()[0].Restarts[Unhealthy]; n != c.restarts {
					t.Errorf("%d restarts, want %d", n, c.restarts)
				}
			})
		})
	}
}
