package supervise

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDelay(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		backoff Backoff
		want    []time.Duration // before restart 1, 2, 3 …
	}{
		"default":      {Backoff{Jitter: -1}, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms}},
		"capped":       {Backoff{Jitter: -1, Max: 300 * ms}, []time.Duration{100 * ms, 200 * ms, 300 * ms, 300 * ms}},
		"fixed":        {Backoff{Jitter: -1, Initial: 7 * ms, Multiplier: 1}, []time.Duration{7 * ms, 7 * ms, 7 * ms}},
		"immediate":    {Backoff{Initial: -1}, []time.Duration{0, 0, 0}},
		"never shrink": {Backoff{Jitter: -1, Multiplier: 0.5}, []time.Duration{100 * ms, 100 * ms}},
		"long initial": {Backoff{Jitter: -1, Initial: time.Minute}, []time.Duration{time.Minute, time.Minute}},
	} {
		var got []time.Duration
		for i := range c.want {
			got = append(got, c.backoff.Delay(i+1))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: delays %v, want %v", name, got, c.want)
		}
	}
	for _, restart := range []int{20, 1 << 20, 1<<63 - 1} {
		if got := (Backoff{Jitter: -1}).Delay(restart); got != 30*time.Second {
			t.Errorf("delay before restart %d = %v, want the default limit", restart, got)
		}
	}
	for _, restart := range []int{0, -1} {
		if got := (Backoff{Jitter: -1}).Delay(restart); got != 100*ms {
			t.Errorf("delay before restart %d = %v, want the first one", restart, got)
		}
	}
}

func TestDelayStaysInRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{
			Initial:    time.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "initial")),
			Max:        time.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "max")),
			Multiplier: rapid.Float64Range(0, 100).Draw(t, "multiplier"),
			Jitter:     rapid.Float64Range(-1, 2).Draw(t, "jitter"),
		}
		d := b.Delay(rapid.Int().Draw(t, "restart"))
		if limit := b.withDefaults().Max; d < 0 || d > limit {
			t.Fatalf("delay %v is not within 0 and %v", d, limit)
		}
	})
}

func TestJitterSpreads(t *testing.T) {
	t.Parallel()
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		d := Backoff{}.Delay(1)
		low, high = min(low, d), max(high, d)
	}
	const ms = time.Millisecond
	if low < 90*ms || high > 110*ms {
		t.Errorf("delays from %v to %v, want within 90 ms to 110 ms", low, high)
	}
	if low > 95*ms || high < 105*ms {
		t.Errorf("1000 delays from %v to %v are hardly spread", low, high)
	}
}
