package measure

import "math"

// A Recorder gathers observations for a Histogram until Flush, and so takes the
// histogram's lock once for many. It is for one goroutine.
type Recorder struct {
	to        *Histogram
	counts    [buckets]uint32
	low, high int // the buckets that are not empty are in [low, high)
	total     Totals
}

// NewRecorder returns a recorder for a histogram.
func NewRecorder(to *Histogram) *Recorder { return &Recorder{to: to, low: buckets} }

// Observe counts a value n times, as Histogram.Observe does, from the next Flush
// on. There may be up to 2^32 observations of a size between two of them.
func (r *Recorder) Observe(value float64, n uint32) {
	if n == 0 || math.IsNaN(value) {
		return
	}
	value = min(max(value, 0), largest)
	at := bucketOf(value)
	r.counts[at] += n
	r.low, r.high = min(r.low, at), max(r.high, at+1)
	r.total.add(value, uint64(n))
}

// Flush has the histogram count what was gathered.
func (r *Recorder) Flush() {
	if r.total.Count == 0 {
		return
	}
	r.to.merge(r.low, r.counts[r.low:r.high], r.total)
	clear(r.counts[r.low:r.high])
	r.low, r.high, r.total = buckets, 0, Totals{}
}
