package supervise

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDelay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		backoff Backoff
		want    []time.Duration // before restart 1, 2, 3 …
	}{
		"default":      {Backoff{Jitter: -1}, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms}},
		"capped":       {Backoff{Jitter: -1, Max: 300 * ms}, []time.Duration{100 * ms, 200 * ms, 300 * ms, 300 * ms}},
		"fixed":        {Backoff{Jitter: -1, Initial: 7 * ms, Multiplier: 1}, []time.Duration{7 * ms, 7 * ms, 7 * ms}},
		"immediate":    {Immediate(), []time.Duration{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ms, ms}},
		"never shrink": {Backoff{Jitter: -1, Multiplier: 0.5}, []time.Duration{100 * ms, 100 * ms}},
		"long initial": {Backoff{Jitter: -1, Initial: time.Minute}, []time.Duration{time.Minute, time.Minute}},
		"Immediate":    {Immediate(), []time.Duration{0, 0}},
		"Fixed":        {Fixed(40 * time.Second), []time.Duration{40 * time.Second, 40 * time.Second}},
		"Fixed none":   {Fixed(0), []time.Duration{0, 0}},
		"Exponential": {Exponential(time.Second, time.Minute, 2, 0), []time.Duration{1 * time.Second, 2 * time.Second,
			4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute}},
		"Exponential none": {Exponential(0, time.Minute, 2, 0), []time.Duration{0, 0}},
		"strict":           {Strict.Backoff, []time.Duration{10 * time.Second, 10 * time.Second}},
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
	if low < 90*ms || high > 110*ms {
		t.Errorf("delays from %v to %v, want within 90 ms to 110 ms", low, high)
	}
	if low > 95*ms || high < 105*ms {
		t.Errorf("1000 delays from %v to %v are hardly spread", low, high)
	}
}

// delaysOf returns the delays of the only child until s ends.
func delaysOf(t *testing.T, c Child) (delays []time.Duration) {
	s := Supervisor{Limit: Limit{Restarts: -1}, Children: []Child{c}, OnEvent: func(e Event) {
		if e.Kind == BackingOff {
			delays = append(delays, e.Delay)
		}
	}}
	if err := s.Serve(t.Context()); err != nil {
		t.Error(err)
	}
	return delays
}

func TestProgressStartsBackoffAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var done uint64
		well := func() error { done++; return errBroken }
		c := Child{
			Name:     "worker",
			Backoff:  Backoff{Jitter: -1},
			Progress: func() uint64 { return done },
			Serve:    inTurn(broken, broken, broken, well, broken, well, broken, ends),
		}
		if got, want := delaysOf(t, c), []time.Duration{100 * ms, 200 * ms, 400 * ms, 100 * ms, 200 * ms, 100 * ms, 200 * ms}; !slices.Equal(got, want) {
			t.Errorf("delays = %v, want %v", got, want)
		}
	})
}

func TestQuietStartsBackoffAgain(t *testing.T) {
	for name, c := range map[string]struct {
		quiet time.Duration
		ran   time.Duration
		want  time.Duration // before the third restart
	}{
		"default":    {0, time.Minute, 100 * ms},
		"not enough": {0, time.Minute - 1, 400 * ms},
		"own":        {time.Second, time.Second, 100 * ms},
		"never":      {-1, time.Hour, 400 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				got := delaysOf(t, Child{Name: "a", Backoff: Backoff{Jitter: -1, Quiet: c.quiet},
					Serve: inTurn(broken, broken, after(c.ran, broken), ends)})
				if want := []time.Duration{100 * ms, 200 * ms, c.want}; !slices.Equal(got, want) {
					t.Errorf("delays = %v, want %v", got, want)
				}
			})
		})
	}
}
