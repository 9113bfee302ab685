package plan

import (
	"testing"
	"time"

	"penstock/engine/supervise"
)

// However long the other side was away, the call is made again within some seconds of its return, and not by all stages at
// the same instant.
func TestAnUnavailableServiceIsTriedAgainSoon(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		backoff   supervise.Backoff
		low, high time.Duration
	}{
		"default":        {supervise.Backoff{Initial: 50 * time.Millisecond}, 4 * time.Second, 5 * time.Second},
		"slow from then": {supervise.Backoff{Initial: 30 * time.Second}, 24 * time.Second, 30 * time.Second},
		"a cap":          {supervise.Backoff{Initial: time.Second, Max: time.Minute}, 48 * time.Second, time.Minute},
	} {
		o := Options{Unavailable: c.backoff}
		least, most := time.Hour, time.Duration(0)
		for range 1000 {
			d := o.UnavailableDelay(1000)
			least, most = min(least, d), max(most, d)
		}
		if least < c.low || most > c.high || most-least < (c.high-c.low)/2 {
			t.Errorf("%s: %v to %v, want %v to %v", name, least, most, c.low, c.high)
		}
	}
}
