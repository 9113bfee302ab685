package prom

import (
	"testing"

	"penstock/engine/observe"
)

func TestOverdueWaitsAreMetrics(t *testing.T) {
	t.Parallel()
	seconds := map[string]float64{}
	waits := []observe.Wait{{For: "room", Overdue: true, Seconds: 40}, {For: "user function", Seconds: 9}}
	giveWaits(waits, func(v float64, labels ...string) { seconds[labels[0]] = v })
	if seconds["room"] != 40 || len(seconds) != len(observe.WaitKinds()) {
		t.Errorf("the overdue waits are %v", seconds)
	}
}
