package measure

import (
	"math"
	"sync"
)

// Schema is that of the buckets, in the words of Prometheus' native histograms:
// there are 2^Schema of them from a number to its double.
const Schema = 3

// Buckets reach from lowest to highest, in powers of two: from a nanosecond to 272 years in seconds, and as many
// messages or bytes.
const (
	lowest    = -30
	highest   = 33
	largest   = 1 << highest
	perDouble = 1 << Schema
	buckets   = (highest - lowest) * perDouble
)

// A Histogram counts observations by their size. The zero value is ready. Safe
// for concurrent use.
type Histogram struct {
	mu     sync.Mutex
	counts []uint64 // made by the first observation
	total  Totals
}

// Totals of a histogram.
type Totals struct {
	Count uint64
	Sum   float64
	Max   float64 // the largest since the beginning
}

// Observe counts a value n times: one below zero as zero, one above 2^33 as that.
// What is no number counts for nothing.
func (h *Histogram) Observe(value float64, n uint64) {
	if n == 0 || math.IsNaN(value) {
		return
	}
	value = min(max(value, 0), largest)
	at := bucketOf(value)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.make()
	h.counts[at] += n
	h.total.add(value, n)
}

func (h *Histogram) make() {
	if h.counts == nil {
		h.counts = make([]uint64, buckets)
	}
}

// merge adds counts of the buckets from a first one on.
func (h *Histogram) merge(first int, counts []uint32, total Totals) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.make()
	for k, n := range counts {
		h.counts[first+k] += uint64(n)
	}
	h.total.Count += total.Count
	h.total.Sum += total.Sum
	h.total.Max = max(h.total.Max, total.Max)
}

func (t *Totals) add(value float64, n uint64) {
	t.Count += n
	t.Sum += value * float64(n)
	t.Max = max(t.Max, value)
}

// Snapshot returns what was counted so far.
func (h *Histogram) Snapshot() Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Snapshot{Totals: h.total}
	for at, n := range h.counts {
		if n > 0 {
			s.Buckets = append(s.Buckets, Bucket{at + lowest*perDouble, n})
		}
	}
	return s
}

const mantissaBits = 52 // of a float64

// withinDouble are the mantissas of the bounds from a number to below its double.
var withinDouble = func() (bounds [perDouble]uint64) {
	for k := range bounds {
		bounds[k] = math.Float64bits(math.Exp2(float64(k)/perDouble)) & (1<<mantissaBits - 1)
	}
	return bounds
}()

// bucketOf is the place of a value among the buckets, whose upper bounds belong to them.
func bucketOf(value float64) int {
	if value <= 0 {
		return 0
	}
	bits := math.Float64bits(value)
	exponent, mantissa := int(bits>>mantissaBits)-1023, bits&(1<<mantissaBits-1)
	k := 0 // how many bounds are below
	for k < perDouble && withinDouble[k] < mantissa {
		k++
	}
	return min(max((exponent-lowest)*perDouble+k, 0), buckets-1)
}
