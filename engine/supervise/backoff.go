package supervise

import (
	"math"
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before a restart. The zero value is ready: 100 ms, doubled at each restart up to 30 s,
// and spread by 10 % so that children which failed together do not come back together. See also Immediate, Fixed and
// Exponential.
type Backoff struct {
	Initial    time.Duration // before the first restart; default 100 ms, negative: none; see Immediate
	Max        time.Duration // never more than this; default 30 s, or Initial if that is longer
	Multiplier float64       // growth from one restart to the next, at least 1; default 2
	Jitter     float64       // random share added or taken away, at most 1; default 0.1, negative: none
	Quiet      time.Duration // a child that ran this long starts at the first delay again; default 60 s, negative: never
}

// Immediate is no delay, but for 1 ms from the eleventh restart in a row on: a child that does nothing but fail must
// not keep the processor from its siblings.
func Immediate() Backoff { return Backoff{Initial: -1} }

const immediateRestarts = 10

// Fixed is always the same delay, exactly. Fixed(0) is Immediate.
func Fixed(d time.Duration) Backoff {
	if d <= 0 {
		return Immediate()
	}
	return Backoff{Initial: d, Max: d, Multiplier: 1, Jitter: -1}
}

// Exponential starts at initial and grows by the factor multiplier up to max. A jitter of 0.1 spreads each delay by 10
// %; 0 is none.
func Exponential(initial, max time.Duration, multiplier, jitter float64) Backoff {
	if initial <= 0 {
		return Immediate()
	}
	if jitter <= 0 {
		jitter = -1
	}
	return Backoff{Initial: initial, Max: max, Multiplier: multiplier, Jitter: jitter}
}

// Delay returns how long to wait before the given restart; the first one is 1.
func (b Backoff) Delay(restart int) time.Duration {
	b = b.withDefaults()
	if b.Initial < 0 {
		if restart > immediateRestarts {
			return time.Millisecond
		}
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

// isQuiet says whether a child that ran this long starts at the first delay again.
func (b Backoff) isQuiet(ran time.Duration) bool {
	quiet := b.withDefaults().Quiet
	return quiet >= 0 && ran >= quiet
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
	if b.Quiet == 0 {
		b.Quiet = time.Minute
	}
	b.Multiplier = max(b.Multiplier, 1)
	b.Jitter = min(max(b.Jitter, 0), 1)
	return b
}
