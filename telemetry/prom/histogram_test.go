package prom

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"penstock/engine/measure"
)

func TestClassicBucketsAreThoseOfTheNativeOne(t *testing.T) {
	t.Parallel()
	var h measure.Histogram
	for _, v := range []float64{0, 1e-9, 1.0 / (1 << 20), 1, 1.0001, 4, 1e9} {
		h.Observe(v, 1)
	}
	buckets := classicBuckets(h.Snapshot())
	for bound, want := range map[float64]uint64{1.0 / (1 << 20): 3, 0.25: 3, 1: 4, 4: 6, 16384: 6} {
		if got := buckets[bound]; got != want {
			t.Errorf("up to %v: %d, want %d", bound, got, want)
		}
	}
	var m dto.Metric
	both := &bothHistograms{desc: histogramMetrics[0].desc, snapshot: h.Snapshot(), labels: []string{"p", "s"}}
	if err := both.Write(&m); err != nil || m.Histogram.GetSampleCount() != 7 {
		t.Errorf("%v, %v", err, &m)
	}
	var _ prometheus.Metric = both
}
