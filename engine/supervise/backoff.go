package supervise

import (
	"math"
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before a restart. The zero value is ready: 100 ms, doubled at each restart up to 30 s, and
// spread by 10 % so that children which failed together do not come back together. A Multiplier of 1 makes the delay
// fixed, a negative Initial makes it none.
type Backoff struct {
	Initial    time.Duration // before the first restart; default 100 ms, negative: no delay at all
	Max        time.Duration // never more than this; default 30 s, or Initial if that is longer
	Multiplier float64       // growth from one restart to the next, at least 1; default 2
	Jitter     float64       // random share added or taken away, at most 1; default 0.1, negative: none
}

// Delay returns how long to wait before the given restart; the first one is 1.
func (b Backoff) Delay(restart int) time.Duration {
	b = b.withDefaults()
	if b.Initial < 0 {
		return 0
	}
	d := float64(b.Initial) * math.Pow(b.Multiplier, float64(max(restart, 1)-1))
	d = min(d, float64(b.Max))
	d *= 1 + b.Jitter*(2*rand.Float64()-1)
	if d >= float64(b.Max) { // also keeps the conversion in range
		return b.Max
	}
	return time.Duration(d)
}

func (b Backoff) withDefaults() Backoff {
	if b.Initial == 0 {
		b.Initial = 100 * time.Millisecond
	}
	if b.Max <= 0 {
		b.Max = max(30*time.Second, b.Initial)
	}
	if b.Multiplier == 0 {
		b.Multiplier = 2
	}
	if b.Jitter == 0 {
		b.Jitter = 0.1
	}
	b.Multiplier = max(b.Multiplier, 1)
	b.Jitter = min(max(b.Jitter, 0), 1)
	return b
}
