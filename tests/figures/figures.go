package figures

import (
	"math"
	"slices"
)

// Median is the middle value, or the mean of the two in the middle; NaN of
// nothing.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// NiceStep is 1, 2 or 5 times a power of ten, and at least v, which is above 0.
func NiceStep(v float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(v))))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= v*0.999 {
			return factor * power
		}
	}
	return 10 * power
}
