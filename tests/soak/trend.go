package main

import (
	"math"
	"penstock/tests/figures"
	"slices"
)

// trend is how a measure went over time.
type trend struct {
	Samples int     `json:"samples"`
	First   float64 `json:"first"` // median of the first fifth
	Last    float64 `json:"last"`  // median of the last fifth
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	Slope   float64 `json:"slope_per_hour"`
	Low     float64 `json:"slope_low"` // of its 95% interval
	High    float64 `json:"slope_high"`
	Verdict verdict `json:"verdict"`
}

type verdict string

const (
	isFlat  verdict = "flat"
	grows   verdict = "grows"
	tooFew  verdict = "too few samples"
	leastOf         = 10 // samples, or there is no verdict
)

// blocks is how many spans the samples are reduced to, each to its median:
// neighbours depend on each other, and would make the interval too narrow.
const blocks = 30

// trendOf judges a measure; hours and values have the same length, and hours
// grow. aDay is what it may grow in a day.
func trendOf(hours, values []float64, aDay float64) trend {
	t := trend{Samples: len(values), Verdict: tooFew}
	if len(values) < leastOf {
		return t
	}
	fifth := len(values) / 5
	t.First, t.Last = figures.Median(values[:fifth]), figures.Median(values[len(values)-fifth:])
	t.Least, t.Most = slices.Min(values), slices.Max(values)
	t.Slope, t.Low, t.High = theilSen(reduce(hours, values, blocks))
	t.Verdict = grows
	if t.Slope*24 < aDay || t.Low <= 0 {
		t.Verdict = isFlat
	}
	return t
}

// reduce has the medians of so many spans of equal numbers of samples.
func reduce(hours, values []float64, spans int) (h, v []float64) {
	spans = min(spans, len(values))
	for k := range spans {
		from, to := k*len(values)/spans, (k+1)*len(values)/spans
		h, v = append(h, figures.Median(hours[from:to])), append(v, figures.Median(values[from:to]))
	}
	return h, v
}

// theilSen is the median of the slopes of all pairs, with the 95% interval that
// Sen derived from Kendall's statistic, ties included.
func theilSen(x, y []float64) (slope, low, high float64) {
	n := len(x)
	slopes := make([]float64, 0, n*(n-1)/2)
	for i := range n {
		for k := i + 1; k < n; k++ {
			if x[k] != x[i] {
				slopes = append(slopes, (y[k]-y[i])/(x[k]-x[i]))
			}
		}
	}
	if len(slopes) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(slopes)
	const z = 1.959964 // 97.5% of the normal distribution
	half := z * math.Sqrt(kendallVariance(y)) / 2
	middle := float64(len(slopes)) / 2
	at := func(rank float64) float64 {
		return slopes[min(max(int(rank), 0), len(slopes)-1)]
	}
	return figures.Median(slopes), at(math.Floor(middle - half)), at(math.Ceil(middle + half))
}

// kendallVariance is that of Kendall's S when there is no trend.
func kendallVariance(values []float64) float64 {
	sum := func(n float64) float64 { return n * (n - 1) * (2*n + 5) }
	ties := map[float64]float64{}
	for _, v := range values {
		ties[v]++
	}
	total := sum(float64(len(values)))
	for _, count := range ties {
		total -= sum(count)
	}
	return total / 18
}

// percentile is the smallest value that at least a share p of them does not
// exceed; p is in (0, 1].
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
