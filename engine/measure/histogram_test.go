package measure

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
)

func TestQuantilesAreWithinTheWidthOfABucket(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var values []float64
	for range 10_000 {
		v := math.Exp(random.NormFloat64()*3 - 6)
		values = append(values, v)
		h.Observe(v, 1)
	}
	slices.Sort(values)
	s := h.Snapshot()
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := values[max(int(math.Ceil(q*float64(len(values))))-1, 0)]
		if got := s.Quantile(q); got < exact/1.1 || got > exact*1.1 {
			t.Errorf("quantile %v is %v, exactly %v", q, got, exact)
		}
	}
	var sum float64
	for _, v := range values {
		sum += v
	}
	if got := s.Mean(); math.Abs(got-sum/float64(len(values))) > 1e-9 {
		t.Errorf("mean %v, exactly %v", got, sum/float64(len(values)))
	}
	if s.Max != values[len(values)-1] {
		t.Errorf("max %v", s.Max)
	}
}

func TestABoundBelongsToItsBucket(t *testing.T) {
	for index := lowest*perDouble + 1; index < highest*perDouble-1; index++ {
		var h Histogram
		bound := Bucket{Index: index}.Bound()
		h.Observe(bound, 1)
		h.Observe(bound*1.0001, 1)
		s := h.Snapshot()
		if len(s.Buckets) != 2 || s.Buckets[0].Index != index || s.Buckets[1].Index != index+1 {
			t.Fatalf("the bound %v of %d: %v", bound, index, s.Buckets)
		}
	}
}

func TestWhatFitsNoBucketCounts(t *testing.T) {
	var h Histogram
	for _, v := range []float64{0, -1, 1e-300, 1e300, math.Inf(1)} {
		h.Observe(v, 2)
	}
	h.Observe(math.NaN(), 1)
	h.Observe(1, 0)
	s := h.Snapshot()
	if s.Count != 10 || len(s.Buckets) != 2 || s.Buckets[0].Count != 6 || s.Buckets[1].Count != 4 {
		t.Errorf("%+v", s)
	}
}

func TestSince(t *testing.T) {
	var h Histogram
	h.Observe(1, 3)
	h.Observe(100, 1)
	before := h.Snapshot()
	h.Observe(1, 1)
	h.Observe(10, 4)
	d := h.Snapshot().Since(before)
	if d.Count != 5 || d.Sum != 41 || len(d.Buckets) != 2 {
		t.Fatalf("%+v", d)
	}
	if d.Max < 10 || d.Max > 11 {
		t.Errorf("max %v", d.Max)
	}
	if q := d.Quantile(0.99); q < 9 || q > 11 {
		t.Errorf("p99 %v", q)
	}
	if same := before.Since(before); same.Count != 0 || same.Quantile(0.5) != 0 || same.Mean() != 0 || same.Deviation() != 0 {
		t.Errorf("%+v", same)
	}
}

func TestPlus(t *testing.T) {
	var both Histogram
	var parts [2]Histogram
	for k, v := range []float64{1, 2, 3, 0.5, 2, 700, 3, 0, 9} {
		parts[k%2].Observe(v, uint64(k))
		both.Observe(v, uint64(k))
	}
	if sum, want := parts[0].Snapshot().Plus(parts[1].Snapshot()), both.Snapshot(); !reflect.DeepEqual(sum, want) {
		t.Errorf("%+v, want %+v", sum, want)
	}
	if s := both.Snapshot(); !reflect.DeepEqual(s.Plus(Snapshot{}), s) || !reflect.DeepEqual(Snapshot{}.Plus(s), s) {
		t.Error("nothing is something")
	}
}

func TestDeviation(t *testing.T) {
	var h Histogram
	h.Observe(100, 50)
	h.Observe(300, 50)
	if d := h.Snapshot().Deviation(); d < 90 || d > 110 {
		t.Errorf("%v, should be 100", d)
	}
}

func TestWritersAndReaders(t *testing.T) {
	var h Histogram
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for k := range 1000 {
				h.Observe(float64(k), 1)
				if k%100 == 0 {
					h.Snapshot().Quantile(0.5)
				}
			}
		})
	}
	all.Wait()
	if n := h.Snapshot().Count; n != 4000 {
		t.Errorf("%d", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Observe(0.0021, 16)
	}
}
