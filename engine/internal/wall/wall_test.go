package wall

import (
	"testing"
	"time"
)

func TestTheWallJumpsAndTheMonotonicClockDoesNot(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, jump := range []time.Duration{0, 72 * time.Hour, -72 * time.Hour, 5 * time.Minute, -time.Second} {
		after := Jumped(start.Add(time.Minute), jump)
		if got := after.Sub(start); got != time.Minute {
			t.Errorf("%v: a minute took %v", jump, got)
		}
		if got := after.Round(0).Sub(start.Round(0)); got != time.Minute+jump {
			t.Errorf("%v: the wall clock went on by %v", jump, got)
		}
		if got := time.Unix(0, after.UnixNano()).Sub(time.Unix(0, start.UnixNano())); got != time.Minute+jump {
			t.Errorf("%v: the nanoseconds went on by %v", jump, got)
		}
		if got := Jumped(start.Round(0), jump).Sub(start.Round(0)); got != jump {
			t.Errorf("%v: a time without a monotonic reading jumped by %v", jump, got)
		}
	}
}

func TestShiftIsForAllUntilItIsTakenBack(t *testing.T) {
	Shift(-48 * time.Hour)
	ahead := time.Now().Round(0).Sub(Now().Round(0))
	Shift(48 * time.Hour)
	if ahead < 48*time.Hour-time.Minute || ahead > 48*time.Hour+time.Minute {
		t.Errorf("the clock is %v behind", ahead)
	}
	if now := Now(); now.Round(0).Sub(time.Now().Round(0)).Abs() > time.Minute {
		t.Errorf("afterwards it is %v", now)
	}
}

func BenchmarkNow(b *testing.B) {
	for b.Loop() {
		Now()
	}
}
