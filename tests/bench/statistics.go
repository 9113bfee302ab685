package main

import (
	"math"
)

// percentile is the smallest of the sorted values that at least a share p of
// them does not exceed; p is in (0, 1].
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
