package main

import (
	"math"
	"math/rand/v2"
	"penstock/tests/figures"
	"testing"
)

// madeUp is 25 minutes of samples every five seconds: noise, the teeth of a saw,
// a few outliers, and what grows.
func madeUp(seed uint64, perHour float64) (hours, values []float64) {
	random := rand.New(rand.NewPCG(seed, 1))
	for k := range 300 {
		at := float64(k) * 5 / 3600
		value := 200 + perHour*at + 4*random.NormFloat64() + 12*float64(k%17)/17
		if random.IntN(40) == 0 {
			value += 150
		}
		hours, values = append(hours, at), append(values, value)
	}
	return hours, values
}

func TestALeakIsFoundAndNoiseIsNot(t *testing.T) {
	t.Parallel()
	const seeds, aDay, leak = 200, 128.0, 20.0
	wrong := 0
	for seed := range uint64(seeds) {
		hours, values := madeUp(seed, 0)
		if got := trendOf(hours, values, aDay); got.Verdict != isFlat {
			wrong++
		}
		hours, values = madeUp(seed, leak)
		got := trendOf(hours, values, aDay)
		if got.Verdict != grows {
			t.Errorf("seed %d: a leak of %v an hour is %q with the slope %v", seed, leak, got.Verdict, got.Slope)
		}
		if math.Abs(got.Slope-leak) > leak/2 {
			t.Errorf("seed %d: the slope of a leak of %v is %v", seed, leak, got.Slope)
		}
	}
	if wrong > seeds/20 {
		t.Errorf("noise is called a leak for %d of %d seeds", wrong, seeds)
	}
}

// One goroutine every ten minutes is a leak, however little it is.
func TestSmallSteadyGrowthIsFound(t *testing.T) {
	t.Parallel()
	var hours, values []float64
	for k := range 300 {
		hours, values = append(hours, float64(k)*5/3600), append(values, float64(60+k/120))
	}
	if got := trendOf(hours, values, 24); got.Verdict != grows {
		t.Errorf("verdict %q, slope %v (%v .. %v)", got.Verdict, got.Slope, got.Low, got.High)
	}
}

func TestTrendOfLittle(t *testing.T) {
	t.Parallel()
	if got := trendOf(nil, nil, 1); got.Verdict != tooFew {
		t.Errorf("of nothing: %+v", got)
	}
	same := make([]float64, 20)
	hours := make([]float64, 20)
	for k := range hours {
		hours[k] = float64(k)
	}
	if got := trendOf(hours, same, 1); got.Verdict != isFlat || got.Slope != 0 {
		t.Errorf("of a constant: %+v", got)
	}
	falling := make([]float64, 20)
	for k := range falling {
		falling[k] = float64(-k)
	}
	if got := trendOf(hours, falling, 1); got.Verdict != isFlat || got.Slope != -1 || got.High != -1 {
		t.Errorf("of what falls: %+v", got)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	values := []float64{5, 1, 4, 2, 3}
	for p, want := range map[float64]float64{0.5: 3, 0.99: 5, 0.2: 1} {
		if got := percentile(values, p); got != want {
			t.Errorf("p%v = %v, want %v", p*100, got, want)
		}
	}
	if !math.IsNaN(percentile(nil, 0.5)) || !math.IsNaN(figures.Median(nil)) {
		t.Error("of nothing there is no percentile")
	}
}
