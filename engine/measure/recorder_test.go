package measure

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// Whether it is observed one by one or by way of a recorder, the histogram is the same.
func TestRecorder(t *testing.T) {
	var direct, flushed Histogram
	r := NewRecorder(&flushed)
	r.Flush() // of nothing
	random := rand.New(rand.NewPCG(3, 4))
	for k := range 10_000 {
		v, n := math.Exp2(random.Float64()*80-40), uint64(random.IntN(3))
		if k%100 == 0 {
			v = math.Exp2(float64(random.IntN(30)-20) / perDouble)
		}
		if k%500 == 1 {
			v = math.NaN()
		}
		direct.Observe(v, n)
		if r.Observe(v, uint32(n)); k%37 == 0 {
			r.Flush()
		}
	}
	r.Flush()
	a, b := direct.Snapshot(), flushed.Snapshot()
	if math.Abs(a.Sum-b.Sum) > 1e-9*a.Sum {
		t.Errorf("sums are %v and %v", a.Sum, b.Sum)
	}
	if a.Sum = b.Sum; !reflect.DeepEqual(a, b) {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func BenchmarkRecorder(b *testing.B) {
	var h Histogram
	r := NewRecorder(&h)
	for k := 0; b.Loop(); k++ {
		if r.Observe(0.0021, 16); k%100 == 0 {
			r.Flush()
		}
	}
}
