package main

import (
	"os"
	"slices"
	"testing"
	"time"
)

// TestMain lets the test program be the process with the dashboards.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-watch") {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestNoGrossLoss judges far below what is measured, so that it is not a busy
// machine that fails but a change that costs much.
func TestNoGrossLoss(t *testing.T) {
	s := settings{rounds: 3, turn: 2 * time.Second, dashboards: 20, dir: t.TempDir()}
	if testing.Short() {
		s.rounds, s.turn = 1, time.Second
	}
	r, err := measure(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	ratios := r.ratios()
	for m := range modes {
		t.Logf("%v: %.2f of the throughput, %d MiB", m, ratios[m], r.figures[m][len(r.figures[m])-1].memory>>20)
		if !(ratios[m] > 0.5) {
			t.Errorf("%v: %.2f of the throughput is left", m, ratios[m])
		}
		for _, f := range r.figures[m] {
			if f.memory > 1<<30 {
				t.Errorf("%v: %d MiB", m, f.memory>>20)
			}
		}
	}
}

func TestRatiosAreThoseOfARound(t *testing.T) {
	t.Parallel()
	var r result
	for _, rate := range []float64{100, 10, 1000} { // a machine that is now slow and now fast
		r.figures[off] = append(r.figures[off], figure{rate: rate})
		r.figures[alone] = append(r.figures[alone], figure{rate: rate * 0.98})
		r.figures[watched] = append(r.figures[watched], figure{rate: rate * 0.9})
	}
	if got := r.ratios(); got[off] != 1 || got[alone] != 0.98 || got[watched] != 0.9 {
		t.Errorf("%v", got)
	}
}
