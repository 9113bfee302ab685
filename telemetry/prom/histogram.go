package prom

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"penstock/engine/measure"
)

// bothHistograms is one histogram in both forms that Prometheus knows: the
// native one with all buckets, the classic one with few of them.
type bothHistograms struct {
	desc     *prometheus.Desc
	snapshot measure.Snapshot
	created  time.Time
	labels   []string
}

var _ prometheus.Metric = (*bothHistograms)(nil)

// Desc implements prometheus.Metric.
func (h *bothHistograms) Desc() *prometheus.Desc { return h.desc }

// Write implements prometheus.Metric.
func (h *bothHistograms) Write(out *dto.Metric) error {
	buckets := make(map[int]int64, len(h.snapshot.Buckets))
	for _, b := range h.snapshot.Buckets {
		buckets[b.Index] = int64(b.Count)
	}
	native, err := prometheus.NewConstNativeHistogram(h.desc, h.snapshot.Count, h.snapshot.Sum, buckets, nil, 0,
		measure.Schema, math.SmallestNonzeroFloat64, h.created, h.labels...)
	if err != nil {
		return err
	}
	classic, err := prometheus.NewConstHistogram(h.desc, h.snapshot.Count, h.snapshot.Sum, classicBuckets(h.snapshot), h.labels...)
	if err != nil {
		return err
	}
	if err := native.Write(out); err != nil {
		return err
	}
	var other dto.Metric
	if err := classic.Write(&other); err != nil {
		return err
	}
	out.Histogram.Bucket = other.Histogram.Bucket
	return nil
}

// The bounds of the classic buckets are powers of four: from a microsecond to a
// quarter of an hour, or from one message to 16,384.
const (
	leastPower = -20
	mostPower  = 14
)

// classicBuckets are cumulative.
func classicBuckets(s measure.Snapshot) map[float64]uint64 {
	buckets := map[float64]uint64{}
	below, k := uint64(0), 0
	for power := leastPower; power <= mostPower; power += 2 {
		for ; k < len(s.Buckets) && s.Buckets[k].Index <= power<<measure.Schema; k++ {
			below += s.Buckets[k].Count
		}
		buckets[math.Exp2(float64(power))] = below
	}
	return buckets
}
