package main

import (
	"math"
	"testing"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, test := range []struct{ p, want float64 }{{0.5, 50}, {0.99, 99}, {0.991, 100}, {1, 100}, {0.0001, 1}} {
		if got := percentile(hundred, test.p); got != test.want {
			t.Errorf("percentile %v: %v, want %v", test.p, got, test.want)
		}
	}
	if got := percentile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("percentile of nothing: %v", got)
	}
}
